"use strict";
// Draws a thematic map from the data in its page: areas in the colours of their classes, or symbols at their seats.
(() => {
  const figure = document.querySelector(".thematic .canvas");
  const told = JSON.parse(document.getElementById("thematic-data").textContent);
  const colours = told.colours;
  const NARROW = matchMedia("(max-width: 48rem)");
  const map = L.map(figure, { attributionControl: false, zoomSnap: 0.1, zoomDelta: 0.5, scrollWheelZoom: false });
  const shapes = new Map();

  function ground(geometry, style) {
    if (geometry) L.geoJSON(geometry, { style, interactive: false, pane: "ground" }).addTo(map);
  }

  function detail(region) {
    return document.querySelector(`template[data-region="${CSS.escape(region.id)}"]`).content.cloneNode(true);
  }

  function tip(region) {
    const words = document.createElement("span");
    words.textContent = `${region.name} ${region.label}`;
    return words;
  }

  const size = (region) => region.radius * (NARROW.matches ? 0.62 : 1);

  function drawn(region) {
    const style = {
      color: region.geometry ? colours.boundary : colours.ink, weight: 1, opacity: 1, fillOpacity: 1,
      fillColor: region.without ? colours.hatch : region.fill, dashArray: region.without && !region.geometry ? "3 3" : null,
    };
    if (region.geometry) return L.geoJSON(region.geometry, { style });
    return L.circleMarker([region.at[1], region.at[0]], { ...style, radius: size(region) });
  }

  // A shape can be reached by keyboard and says what it is.
  function open(region) {
    const layer = shapes.get(region.id);
    layer.openPopup(region.geometry ? [region.at[1], region.at[0]] : undefined);
  }

  function reachable(region, layer) {
    const paths = layer.getLayers ? layer.getLayers().map((one) => one.getElement()) : [layer.getElement()];
    const path = paths.find(Boolean);
    path.setAttribute("tabindex", "0");
    path.setAttribute("role", "button");
    path.setAttribute("aria-label", `${region.name} ${region.label}`.trim());
    path.dataset.region = region.id;
    path.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(region);
    });
  }

  function mark(id, on) {
    const layer = shapes.get(id);
    if (!layer) return;
    const region = told.regions.find((one) => one.id === id);
    layer.setStyle({ weight: on ? 3 : 1, color: on || !region.geometry ? colours.ink : colours.boundary });
    if (on) layer.bringToFront();
  }

  // Words: name and value of each region, moved aside or shortened where they would hide each other.
  function label(region) {
    const words = document.createElement("span");
    const name = document.createElement("i");
    const value = document.createElement("b");
    name.textContent = region.name;
    value.textContent = region.label;
    words.append(name, " ", value);
    const place = region.geometry ? `inside${region.dark ? " dark" : ""}` : "beside";
    const icon = L.divIcon({ html: words, className: `label ${place}`, iconSize: [0, 0] });
    L.marker([region.at[1], region.at[0]], { icon, interactive: false, keyboard: false, pane: "words" }).addTo(map);
    return { region, words, name };
  }

  function places(region, wide, high) {
    if (region.geometry) return [[0, 0], [0, -high * 0.7], [0, high * 0.7]];
    const reach = size(region) + 2;
    const down = reach + high / 2;
    const aside = reach + wide / 2 + 1;
    return [[0, down], [aside, 0], [-aside, 0], [0, -down], [aside, down * 0.6], [-aside, down * 0.6],
      [aside, -down * 0.6], [-aside, -down * 0.6]];
  }

  const apart = (a, b) => a.right <= b.left || a.left >= b.right || a.bottom <= b.top || a.top >= b.bottom;

  function arrange(labels) {
    const edge = figure.getBoundingClientRect();
    const taken = told.regions.filter((one) => !one.geometry).map((one) => {
      const at = map.latLngToContainerPoint([one.at[1], one.at[0]]).add([edge.left, edge.top]);
      const reach = size(one) * 0.9;
      return { left: at.x - reach, right: at.x + reach, top: at.y - reach, bottom: at.y + reach };
    });
    const fits = (box) => taken.every((other) => apart(box, other))
      && box.left >= edge.left && box.right <= edge.right && box.top >= edge.top && box.bottom <= edge.bottom;
    for (const { region, words, name } of labels) {
      words.style.translate = "";
      words.hidden = false;
      let found = null;
      for (const whole of [true, false]) {
        name.hidden = !whole;
        if (!whole && !region.label) break;
        const box = words.getBoundingClientRect();
        found = places(region, box.width, box.height).map(([x, y]) => ({
          x, y, left: box.left + x, right: box.right + x, top: box.top + y, bottom: box.bottom + y,
        })).find(fits);
        if (found) break;
      }
      words.hidden = !found;
      if (!found) continue;
      words.style.translate = `calc(-50% + ${found.x}px) calc(-50% + ${found.y}px)`;
      taken.push(found);
    }
  }

  map.createPane("ground").style.zIndex = 300;
  const pane = map.createPane("words");
  pane.style.zIndex = 620;
  pane.style.pointerEvents = "none";
  map.fitBounds(told.extent, { padding: [12, 12] });
  ground(told.around, { color: colours.around, weight: 0.75, fill: false });
  ground(told.water, { stroke: false, fillColor: colours.water, fillOpacity: 1 });
  ground(told.land, { color: colours.boundary, weight: 1, fillColor: colours.land, fillOpacity: 1 });
  // the greatest symbols lie lowest
  const order = [...told.regions].sort((a, b) => (b.radius || 0) - (a.radius || 0));
  for (const region of order) {
    const layer = drawn(region).addTo(map);
    layer.bindPopup(() => detail(region), { maxWidth: NARROW.matches ? 280 : 360, maxHeight: 320 });
    layer.bindTooltip(() => tip(region), { sticky: true, direction: "top" });
    shapes.set(region.id, layer);
    reachable(region, layer);
  }
  ground(told.outline, { color: colours.outline, weight: 2, fill: false });
  L.control.scale({ imperial: false }).addTo(map);
  const labels = order.map(label);
  const again = () => {
    if (!told.regions[0]?.geometry) for (const region of told.regions) shapes.get(region.id).setRadius(size(region));
    arrange(labels);
  };
  document.fonts.ready.then(() => {
    again();
    map.on("zoomend moveend resize", again);
    figure.dataset.ready = "yes";
  });

  // Leaflet closes a popup by keyboard only while the map itself has the focus
  figure.addEventListener("keydown", (event) => { if (event.key === "Escape") map.closePopup(); });

  for (const row of document.querySelectorAll("tr[data-region]")) {
    row.addEventListener("mouseenter", () => mark(row.dataset.region, true));
    row.addEventListener("mouseleave", () => mark(row.dataset.region, false));
  }
})();
