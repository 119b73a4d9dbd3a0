// Shows the API definition; validatorUrl would ask a public service.
const place = document.getElementById("api");
SwaggerUIBundle({ url: place.dataset.definition, domNode: place, validatorUrl: null, deepLinking: true });
