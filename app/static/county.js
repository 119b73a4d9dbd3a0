// A county's map and table in step: a row points at its place, the map's view decides which rows are listed, and
// sorting and filtering fetch the same page that they lead to without scripts.
"use strict";
// map_labels.js adds to it
const innomap = {};
document.addEventListener("DOMContentLoaded", () => {
  // milliseconds after the last letter
  const PAUSE = 350;
  const section = document.getElementById("sieve");
  const form = section.querySelector("form");
  const ground = JSON.parse(document.getElementById("ground").textContent);
  const language = document.documentElement.lang.slice(0, 2);
  const places = new Map();
  const map = L.map(section.querySelector(".map"), {
    attributionControl: false, scrollWheelZoom: false, zoomSnap: 0.25, maxZoom: 16, minZoom: 7,
  });
  const symbols = L.layerGroup().addTo(map);

  // ---------------------------------------------------------------------------------------------------- the map

  const there = ([x, y]) => L.latLng(y, x);

  // Where a name may stand: at its place, or above and below it beyond a symbol.
  const STEPS = [0, -1, 1, -2.2, 2.2];

  function word(text, [x, y], kind) {
    const span = document.createElement("span");
    span.textContent = text;
    const icon = L.divIcon({ className: `place-name ${kind}`, html: span, iconSize: [0, 0] });
    const marker = L.marker([y, x], { icon, interactive: false, keyboard: false, pane: "names" });
    marker.feature = { properties: { places: STEPS.map((above) => [x, y, 0, above]) } };
    marker.addTo(map);
  }

  function drawGround() {
    map.createPane("ground").style.zIndex = 300;
    map.createPane("names").style.zIndex = 350;
    for (const { style, geometries } of ground.shapes)
      for (const one of geometries) L.geoJSON(one, { style, interactive: false, pane: "ground" }).addTo(map);
    for (const { name, at } of ground.towns) word(name, at, "ground");
    for (const { name, at } of ground.around) word(name, at, "around");
    L.control.scale({ imperial: false }).addTo(map);
    map.fitBounds(ground.bounds, { padding: [8, 8] });
  }

  const rowOf = (id) => section.querySelector(`tr[data-id="${CSS.escape(id)}"]`);

  function mark(id, on) {
    rowOf(id)?.classList.toggle("on", on);
    places.get(id)?.marker.getElement()?.classList.toggle("on", on);
  }

  function popup(id) {
    const link = rowOf(id).querySelector("th a").cloneNode(true);
    const box = document.createElement("p");
    box.append(link);
    return box;
  }

  function drawPlaces() {
    const given = JSON.parse(document.getElementById("shapes").textContent);
    symbols.clearLayers();
    places.clear();
    for (const { id, name, icon, at, area } of given.places) {
      if (area) L.geoJSON(area.geometry, { style: { ...area.style, interactive: false } }).addTo(symbols);
      const drawn = L.divIcon({ html: given.icons[icon], className: "symbol", iconSize: [22, 22] });
      const marker = L.marker(there(at), { icon: drawn, keyboard: false, riseOnHover: true }).addTo(symbols);
      const label = document.createElement("span");
      label.textContent = name;
      marker.bindTooltip(label).bindPopup(() => popup(id));
      marker.on("mouseover", () => mark(id, true)).on("mouseout", () => mark(id, false));
      marker.on("popupopen popupclose", ({ type }) => rowOf(id)?.classList.toggle("chosen", type === "popupopen"));
      marker.on("click", () => rowOf(id).scrollIntoView({ block: "nearest" }));
      marker.getElement().dataset.id = id;
      places.set(id, { marker, at });
    }
    follow();
  }

  // -------------------------------------------------------------------------------------------- the rows in view

  // Where all places are in view every row is listed, those without a place too.
  function follow() {
    const view = map.getBounds();
    const seen = new Set([...places].filter(([, { at }]) => view.contains(there(at))).map(([id]) => id));
    const all = seen.size === places.size;
    for (const row of section.querySelectorAll("tr[data-id]")) row.hidden = !all && !seen.has(row.dataset.id);
    const said = document.getElementById("seen");
    said.textContent = all ? "" : said.dataset[language].replace("#", seen.size);
    document.getElementById("whole").hidden = all;
    const exports = section.querySelector(".exports");
    const box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()].map((one) => one.toFixed(6));
    const filter = all ? "" : `&filter=${encodeURIComponent(`S_INTERSECTS(position,BBOX(${box}))`)}`;
    for (const link of exports.querySelectorAll("[data-export]"))
      link.href = link.href.replace(/\?.*/, exports.dataset.query + filter);
    section.dataset.ready = "yes";
  }

  function whole() {
    const bounds = L.latLngBounds(ground.bounds);
    for (const { at } of places.values()) bounds.extend(there(at));
    map.fitBounds(bounds, { padding: [8, 8] });
  }

  // -------------------------------------------------------------------------------------- sorting and filtering

  let asked = 0;

  async function load(address) {
    const question = ++asked;
    const focused = document.activeElement?.id;
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    // the browser itself shows what is wrong
    if (!answer?.ok) return location.assign(address);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (question !== asked) return;
    for (const id of ["choices", "relations", "kept", "list"])
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    for (const name of [".language", "link[hreflang]"])
      document.querySelector(name).setAttribute("href", page.querySelector(name).getAttribute("href"));
    history.replaceState(null, "", address);
    drawPlaces();
    innomap.arrange(map);
    if (focused) document.getElementById(focused)?.focus();
  }

  function submitted() {
    const asked = new URLSearchParams(new FormData(form));
    if (!asked.get("industry_contains").trim()) asked.delete("industry_contains");
    return `${section.dataset.path}?${asked}`;
  }

  let waiting = 0;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    load(submitted());
  });
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (!event.isComposing) waiting = setTimeout(() => load(submitted()), PAUSE);
  });
  section.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (event.target.id === "whole") whole();
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    load(link.href);
  });
  for (const [name, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
    section.addEventListener(name, (event) => {
      const row = event.target.closest("tr[data-id]");
      if (row) mark(row.dataset.id, on);
    });
  }

  drawGround();
  drawPlaces();
  map.on("moveend", follow);
  innomap.keepApart(map);
});
