"use strict";
// Lengths and areas on the ellipsoid of WGS 84, drawn by clicking; a double click ends, Escape leaves.
(() => {
  const A = 6378137;
  const E2 = 0.00669437999014;
  const E = Math.sqrt(E2);
  const rad = (degrees) => degrees * Math.PI / 180;

  // Metres between two places: by the radii of curvature at their middle latitude, true to 1e-4 over 300 km.
  function distance(a, b) {
    const w = 1 - E2 * Math.sin(rad((a.lat + b.lat) / 2)) ** 2;
    const north = rad(b.lat - a.lat) * A * (1 - E2) / w ** 1.5;
    const east = rad(b.lng - a.lng) * A / Math.sqrt(w) * Math.cos(rad((a.lat + b.lat) / 2));
    return Math.hypot(north, east);
  }

  // Square metres of a ring whose edges are straight in degrees: the area under each edge down to the equator.
  function area(ring) {
    const under = (lat) => {
      const s = Math.sin(rad(lat));
      return A * A * (1 - E2) / 2 * (s / (1 - E2 * s * s) + Math.atanh(E * s) / E);
    };
    let sum = 0;
    ring.forEach((one, i) => {
      const next = ring[(i + 1) % ring.length];
      const middle = under((one.lat + next.lat) / 2);
      // Simpson's rule along the edge
      sum += rad(next.lng - one.lng) * (under(one.lat) + 4 * middle + under(next.lat)) / 6;
    });
    return Math.abs(sum);
  }

  const length = (line) => line.slice(1).reduce((sum, place, i) => sum + distance(line[i], place), 0);
  const metres = (value) => (value < 1000 ? `${value.toFixed(0)} m` : `${(value / 1000).toPrecision(value < 1e5 ? 3 : 4)} km`);
  const squares = (value) => (value < 1e5 ? `${value.toFixed(0)} m²` : `${(value / 1e6).toPrecision(3)} km²`);

  const STYLE = { color: "#1B2733", weight: 2, dashArray: null, fillColor: "#1B2733", fillOpacity: 0.08, interactive: false };
  const WORDS = document.documentElement.lang === "en"
    ? { title: "Measure", hint: "Click places on the map, double-click to end." }
    : { title: "测量", hint: "在图上依次点选，双击结束。" };

  innomap.measure = (map) => {
    const layer = L.layerGroup();
    let places = [];
    let active = false;

    const bar = L.control({ position: "topleft" });
    bar.onAdd = () => {
      const around = L.DomUtil.create("div", "leaflet-bar measure");
      const button = L.DomUtil.create("button", "", around);
      button.title = WORDS.title;
      button.setAttribute("aria-label", WORDS.title);
      button.setAttribute("aria-pressed", "false");
      L.DomEvent.disableClickPropagation(around);
      button.addEventListener("click", () => (active ? leave() : begin()));
      return around;
    };
    bar.addTo(map);
    const button = bar.getContainer().firstChild;
    const result = L.DomUtil.create("output", "measured", map.getContainer());
    result.hidden = true;

    function say() {
      const words = places.length < 2 ? [WORDS.hint] : [metres(length(places))];
      if (places.length > 2) words.push(squares(area(places)));
      result.textContent = words.join(" · ");
    }

    function draw() {
      layer.clearLayers();
      if (places.length > 2) L.polygon(places, { ...STYLE, stroke: false }).addTo(layer);
      L.polyline(places, STYLE).addTo(layer);
      for (const place of places) L.circleMarker(place, { ...STYLE, radius: 3, fillOpacity: 1 }).addTo(layer);
      say();
    }

    function add(event) {
      const last = places[places.length - 1];
      // a double click is two clicks in one place
      if (last && map.latLngToContainerPoint(last).distanceTo(event.containerPoint) < 4) return;
      places.push(event.latlng);
      draw();
    }

    function begin() {
      active = true;
      places = [];
      map.closePopup();
      map.doubleClickZoom.disable();
      map.getContainer().classList.add("measuring");
      button.setAttribute("aria-pressed", "true");
      layer.addTo(map);
      result.hidden = false;
      draw();
      map.on("click", add).on("dblclick", end);
    }

    // What was measured stays until the button is pressed again.
    function end() {
      map.off("click", add).off("dblclick", end);
      map.getContainer().classList.remove("measuring");
      setTimeout(() => map.doubleClickZoom.enable(), 300);
    }

    function leave() {
      if (!active) return;
      active = false;
      end();
      layer.remove();
      result.hidden = true;
      button.setAttribute("aria-pressed", "false");
    }

    document.addEventListener("keydown", (event) => event.key === "Escape" && leave());
  };

  Object.assign(innomap, { length, area });
})();
