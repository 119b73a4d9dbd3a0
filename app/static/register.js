// A field left empty asks for nothing.
for (const form of document.querySelectorAll("form.filter")) {
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) {
      if (value.trim() === "") event.formData.delete(name);
    }
  });
}
