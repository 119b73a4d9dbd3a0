// Suggestions below a search box while one types (the combobox pattern of WAI-ARIA); the form itself needs no script.
(() => {
  "use strict";
  const LIMIT = 8;
  const PAUSE = 150;
  const ENGLISH = document.documentElement.lang === "en";

  function option(found, number, kinds, id) {
    const item = document.createElement("li");
    item.id = `${id}-${number}`;
    item.setAttribute("role", "option");
    item.dataset.page = found.page;
    const kind = kinds[found.collection.replace(/_./g, (two) => two[1].toUpperCase())];
    const name = (ENGLISH && found.name_en) || found.name;
    const matched = found.text === name ? "" : found.text;
    for (const [tag, text] of [["b", name], ["span", kind], ["small", matched]]) {
      if (text) item.appendChild(document.createElement(tag)).textContent = text;
    }
    return item;
  }

  function setUp(form, number) {
    const box = form.elements.q;
    const list = document.createElement("ul");
    let asked = 0;
    let waiting = 0;
    list.id = `suggestions-${number}`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", box.getAttribute("aria-label"));
    form.append(list);
    for (const [name, value] of [["role", "combobox"], ["aria-controls", list.id], ["aria-autocomplete", "list"]])
      box.setAttribute(name, value);

    const current = () => list.querySelector("[aria-selected=true]");

    function show(open) {
      list.hidden = !open;
      box.setAttribute("aria-expanded", String(open));
      if (!open) choose(null);
    }

    function choose(item) {
      current()?.removeAttribute("aria-selected");
      item?.setAttribute("aria-selected", "true");
      item?.scrollIntoView({ block: "nearest" });
      if (item) box.setAttribute("aria-activedescendant", item.id);
      else box.removeAttribute("aria-activedescendant");
    }

    async function suggest() {
      const question = ++asked;
      const words = box.value.trim();
      if (!words) return show(false);
      const query = new URLSearchParams({ q: words, limit: LIMIT, f: "json" });
      // without an answer there are no suggestions; the button still asks
      const answer = await fetch(`${form.action}?${query}`).catch(() => null);
      const items = answer?.ok ? (await answer.json()).items : [];
      if (question !== asked) return;
      list.replaceChildren(...items.map((found, place) => option(found, place, form.dataset, list.id)));
      show(items.length > 0 && document.activeElement === box);
    }

    box.addEventListener("input", (event) => {
      clearTimeout(waiting);
      // letters of an input method are not yet words
      if (!event.isComposing) waiting = setTimeout(suggest, PAUSE);
    });
    box.addEventListener("compositionend", suggest);
    box.addEventListener("blur", () => show(false));
    box.addEventListener("keydown", (event) => {
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.isComposing) return;
      if (event.key === "Escape" && !list.hidden) {
        event.preventDefault();
        show(false);
      } else if (event.key === "Enter" && current()) {
        event.preventDefault();
        location.href = current().dataset.page;
      } else if (event.key in steps && !list.hidden) {
        event.preventDefault();
        // from the last on to the box itself, and on to the first
        const items = [null, ...list.children];
        choose(items.at((items.indexOf(current()) + steps[event.key]) % items.length));
      }
    });
    list.addEventListener("pointerdown", (event) => {
      const item = event.target.closest("li");
      event.preventDefault();
      if (item) location.href = item.dataset.page;
    });
    show(false);
  }

  document.querySelectorAll("form[role=search]").forEach(setUp);
})();
