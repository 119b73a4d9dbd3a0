"use strict";
// The page of a layout map: popups, the layers' switches, uncertainty rings, and finding a place by its name.
// Folium's script calls innomap.cluster while it draws, and innomap.start at its end; the page of one layer has a start
// of its own (map_layer.js) and shares what `begin` sets up.
const innomap = (() => {
  const NARROW = matchMedia("(max-width: 48rem)");
  const INK = "#1B2733";
  // key -> { leaves, group }: what stands for a feature on the map, and the layer it belongs to
  const drawn = new Map();
  const templates = new Map();
  let map = null;
  let layers = {};
  let ring = null;

  const find = (key, selector) => templates.get(key).content.querySelector(selector);
  const part = (key, selector) => find(key, selector).cloneNode(true);
  const named = (key) => find(key, "h2").textContent;
  const titled = (key) => {
    const name = document.createElement("strong");
    name.append(...part(key, "h2").childNodes);
    return name;
  };
  const position = ({ lat, lon }) => L.latLng(Number(lat), Number(lon));

  function each(layer, act) {
    if (layer.getLayers) for (const one of layer.getLayers()) each(one, act);
    else act(layer);
  }

  // ------------------------------------------------------------------------------------------------------- popups

  const popupSize = (on = map) => (NARROW.matches
    ? { minWidth: 220, maxWidth: 300, maxHeight: Math.max(160, on.getSize().y - 260) }
    : { minWidth: 240, maxWidth: 360, maxHeight: 440 });

  function dress(leaf, group) {
    const key = leaf.feature && leaf.feature.id;
    if (!templates.has(key)) return;
    if (!drawn.has(key)) drawn.set(key, { leaves: [], group });
    drawn.get(key).leaves.push(leaf);
    leaf.bindPopup((one) => article(key, one), popupSize());
    leaf.bindTooltip(() => titled(key), { sticky: !leaf.getLatLng, direction: "top", offset: [0, -8] });
    if (!leaf.getLatLng) return;
    const name = () => leaf.getElement().setAttribute("aria-label", named(key));
    leaf.on("add", name);
    if (leaf.getElement()) name();
  }

  // What a map says of a feature, from an address of its own.
  async function fetched(key) {
    const lang = document.documentElement.lang === "en" ? "en" : "zh";
    const answer = await fetch(`${document.body.dataset.popups}/${key}?lang=${lang}`);
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("article");
  }

  // A large map has its popups' words fetched, once each.
  function article(key, leaf) {
    if (find(key, "article")) return part(key, "article");
    const words = document.createElement("article");
    words.className = "popup";
    words.append(part(key, "h2"), "…");
    fetched(key).then((found) => {
      templates.get(key).content.replaceChildren(document.adoptNode(found));
      leaf.getPopup().setContent(part(key, "article"));
    }, () => words.lastChild.replaceWith(" ×"));
    return words;
  }

  // What a feature is known by on the map: its symbol rather than its circle.
  const best = (key) => {
    const leaves = drawn.get(key)?.leaves ?? [];
    return leaves.find((leaf) => leaf.getLatLng) ?? leaves[0];
  };

  function show(key) {
    if (!templates.has(key)) return;
    if (NARROW.matches) document.getElementById("panel").open = false;
    const leaf = best(key);
    if (!leaf) return showParts(key);
    const group = layers[drawn.get(key).group];
    if (!map.hasLayer(group)) map.addLayer(group);
    if (group.zoomToShowLayer && leaf.getLatLng) group.zoomToShowLayer(leaf, () => leaf.openPopup());
    else leaf.openPopup();
  }

  // An element without a shape of its own is its members, or at least its words.
  const membersOf = (key) =>
    [...templates.get(key).content.querySelectorAll("[data-show]")].map((button) => button.dataset.show).filter(best);

  function showParts(key) {
    const bounds = L.latLngBounds(membersOf(key).map((member) => {
      const leaf = best(member);
      return leaf.getLatLng ? leaf.getLatLng() : leaf.getBounds().getCenter();
    }));
    const centre = bounds.isValid() ? bounds.getCenter() : map.getCenter();
    const popup = L.popup({ ...popupSize(), className: "of-parts" }).setLatLng(centre).setContent(part(key, "article"));
    popup.key = key;
    popup.openOn(map);
  }

  function mark(key, on) {
    for (const leaf of drawn.get(key)?.leaves ?? []) {
      const shown = leaf.getElement && leaf.getElement();
      if (shown) shown.classList.toggle("picked", on);
    }
  }

  function opened({ popup }) {
    const key = popup._source ? popup._source.feature.id : popup.key;
    if (!key) return;
    for (const one of [key, ...membersOf(key)]) mark(one, true);
    const { accuracy, ...place } = templates.get(key).dataset;
    if (accuracy && !map.hasLayer(layers.rings)) ring = circle(place, accuracy).addTo(map);
  }

  function closed() {
    for (const key of drawn.keys()) mark(key, false);
    if (ring) ring.remove();
    ring = null;
  }

  // -------------------------------------------------------------------------------------------------------- rings

  const circle = (place, accuracy) => L.circle(position(place), {
    radius: Number(accuracy), color: INK, weight: 1.5, opacity: 0.8, dashArray: "1 5", fill: false, interactive: false,
  });

  // How exact each position is, of all that is on the map; a ring stands for all places of one spot and accuracy.
  function drawRings() {
    layers.rings.clearLayers();
    if (!map.hasLayer(layers.rings)) return;
    const seen = new Set();
    for (const [key, { group }] of drawn) {
      const { accuracy, ...place } = templates.get(key).dataset;
      const spot = `${place.lat} ${place.lon} ${accuracy}`;
      if (!accuracy || !map.hasLayer(layers[group]) || seen.has(spot)) continue;
      seen.add(spot);
      layers.rings.addLayer(circle(place, accuracy));
    }
  }

  // ------------------------------------------------------------------------------------------------------- layers

  const switches = () => [...document.querySelectorAll("#panel [data-layer]")];

  function turn(name, on) {
    if (on) map.addLayer(layers[name]);
    else map.removeLayer(layers[name]);
  }

  function followLayers() {
    for (const box of switches()) {
      box.checked = map.hasLayer(layers[box.dataset.layer]);
      box.addEventListener("change", () => turn(box.dataset.layer, box.checked));
    }
    const names = new Map(Object.entries(layers).map(([name, layer]) => [layer, name]));
    map.on("layeradd layerremove", ({ layer }) => {
      const name = names.get(layer);
      if (!name) return;
      for (const box of switches()) if (box.dataset.layer === name) box.checked = map.hasLayer(layer);
      if (layers.rings) drawRings();
      map.fire("layerswitch");
    });
  }

  // ------------------------------------------------------------------------------------------------------ finding

  const MOST = 8;
  const plain = (text) => text.toLowerCase().replace(/[\s“”"'’·（）()-]/g, "");

  function findBy() {
    const input = document.getElementById("find");
    const list = document.getElementById("found");
    const said = document.getElementById("said");
    const entries = [...templates].map(([key, template]) => ({
      key, name: named(key), words: plain(`${named(key)} ${template.dataset.find}`),
    }));
    input.addEventListener("input", () => {
      const wanted = plain(input.value);
      const found = wanted ? entries.filter((one) => one.words.includes(wanted)) : [];
      found.sort((a, b) => a.words.indexOf(wanted) - b.words.indexOf(wanted));
      list.replaceChildren(...found.slice(0, MOST).map(({ key }) => {
        const button = document.createElement("button");
        button.dataset.show = key;
        button.append(...part(key, "h2").childNodes);
        const item = document.createElement("li");
        item.append(button);
        return item;
      }));
      said.textContent = wanted ? `${said.dataset.found} ${found.length}` : "";
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") list.querySelector("button")?.click();
      if (event.key !== "Escape") return;
      input.value = "";
      input.dispatchEvent(new Event("input"));
    });
  }

  // -------------------------------------------------------------------------------------------------------- start

  // What every map has: switches of its layers, free places for names, an address, a base map, a measure.
  function begin(given, groups) {
    map = given;
    layers = groups;
    followLayers();
    innomap.keepApart(map);
    innomap.keepView(map, layers, innomap.baseMaps(map));
    innomap.measure(map);
    document.getElementById("panel").open = !NARROW.matches;
    document.addEventListener("keydown", (event) => event.key === "Escape" && map.closePopup());
    // Leaflet focuses the map on a click, which would frame it as if it had been reached by keyboard
    const container = map.getContainer();
    container.addEventListener("pointerdown", () => container.classList.add("by-mouse"));
    container.addEventListener("keydown", () => container.classList.remove("by-mouse"));
  }

  function start(given, groups) {
    map = given;
    for (const one of document.querySelectorAll("template[data-key]")) templates.set(one.dataset.key, one);
    for (const [name, group] of Object.entries(groups)) each(group, (leaf) => dress(leaf, name));
    map.on("popupopen", opened).on("popupclose", closed);
    begin(map, { ...groups, rings: L.layerGroup() });
    findBy();
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show]");
      if (button) show(button.dataset.show);
    });
  }

  // A cluster is hollow where any of it is known by its county alone.
  function cluster(symbol) {
    return (group) => {
      const hollow = group.getAllChildMarkers().some((marker) => marker.options.icon.options.className.includes("hollow"));
      return L.divIcon({
        html: `<span></span><b>${group.getChildCount()}</b>`,
        className: `cluster ${symbol}${hollow ? " hollow" : ""}`, iconSize: [26, 26],
      });
    };
  }

  return { start, begin, cluster, turn, fetched, popupSize };
})();
