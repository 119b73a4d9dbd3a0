"use strict";
// Base maps that the settings offer. Over one in GCJ-02 the map's own projection shifts everything drawn, so that
// vectors lie where that service draws the same places; what is stored, measured and shared stays WGS 84.
(() => {
  const MERCATOR = L.Projection.SphericalMercator;
  const GCJ02 = L.extend({}, L.CRS.EPSG3857, {
    projection: L.extend({}, MERCATOR, {
      project: ({ lat, lng }) => MERCATOR.project(L.latLng(gcj02.fromWgs84(lng, lat).reverse())),
      unproject: (point) => {
        const { lat, lng } = MERCATOR.unproject(point);
        return L.latLng(gcj02.toWgs84(lng, lat).reverse());
      },
    }),
  });

  innomap.baseMaps = (map) => {
    const given = document.getElementById("base-maps");
    const offered = given ? JSON.parse(given.textContent) : [];
    const radios = [...document.querySelectorAll("input[name=base]")];
    const note = document.getElementById("datum");
    const free = [map.options.zoomSnap, map.options.zoomDelta];
    const credit = L.control.attribution({ prefix: false, position: "bottomright" });
    let layers = [];
    let chosen = "";

    const tiles = (base) => base.templates.map((url) => L.tileLayer(url, {
      maxNativeZoom: base.maxZoom, maxZoom: map.getMaxZoom(), subdomains: base.subdomains,
      // services ask to be told who uses them, by host alone
      referrerPolicy: "strict-origin-when-cross-origin",
    }));

    function choose(name) {
      const base = offered.find((one) => one.name === name);
      chosen = base ? name : "";
      for (const one of layers) one.remove();
      credit.remove();
      map.getContainer().classList.toggle("with-base", Boolean(base));
      if (note) note.hidden = base?.datum !== "gcj02";
      for (const radio of radios) radio.checked = radio.value === chosen;
      // pictures are sharp at whole levels alone
      [map.options.zoomSnap, map.options.zoomDelta] = base ? [1, 1] : free;
      const crs = base?.datum === "gcj02" ? GCJ02 : L.CRS.EPSG3857;
      const zoom = base ? Math.round(map.getZoom()) : map.getZoom();
      const centre = map.getCenter();
      map.options.crs = crs;
      map.setView(centre, zoom, { reset: true });
      layers = base ? tiles(base) : [];
      for (const one of layers) one.addTo(map);
      if (base?.attribution) {
        const words = document.createElement("span");
        words.textContent = base.attribution;
        credit.addTo(map).addAttribution(words.innerHTML);
      }
      map.fire("layerswitch");
    }

    for (const radio of radios) radio.addEventListener("change", () => choose(radio.value));
    return { choose, chosen: () => chosen };
  };
})();
