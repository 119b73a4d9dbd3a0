"use strict";
// Gives the shapes of a Folium map their popups, tooltips and names, and puts the layer control into the panel.
const innomap = (() => {
  const NARROW = matchMedia("(max-width: 48rem)");
  const shown = new Map();
  let ring = null;

  const keyOf = (layer) => layer.feature && layer.feature.id;
  const templateOf = (key) => document.querySelector(`template[data-key="${CSS.escape(key)}"]`);
  const part = (template, selector) => template.content.querySelector(selector).cloneNode(true);

  function dress(layer) {
    const key = keyOf(layer);
    const template = key && templateOf(key);
    if (!template) return;
    shown.set(key, layer);
    if (!layer.getPopup()) {
      layer.bindPopup(() => part(template, "article"), {
        minWidth: 240, maxWidth: NARROW.matches ? 300 : 360, maxHeight: NARROW.matches ? 320 : 460,
      });
      layer.bindTooltip(() => part(template, "h2"), { sticky: !layer.getLatLng, direction: "top", offset: [0, -8] });
    }
    const element = layer.getElement && layer.getElement();
    if (element && layer.getLatLng) element.setAttribute("aria-label", template.content.querySelector("h2").textContent);
  }

  // The dotted ring of how exact a position is, while its popup is open.
  function openRing(map, layer) {
    const { accuracy, lat, lon } = templateOf(keyOf(layer))?.dataset ?? {};
    if (!accuracy) return;
    ring = L.circle([lat, lon], {
      radius: Number(accuracy), color: "#1B2733", weight: 1.5, dashArray: "1 5", fill: false, interactive: false,
    }).addTo(map);
  }

  function closeRing() {
    if (ring) ring.remove();
    ring = null;
  }

  // A cluster is hollow where any of it is known by its county alone.
  function cluster(symbol) {
    return (group) => {
      const hollow = group.getAllChildMarkers().some((marker) => marker.options.icon.options.className.includes("hollow"));
      return L.divIcon({
        html: `<span><b>${group.getChildCount()}</b></span>`, className: `cluster ${symbol}${hollow ? " hollow" : ""}`,
        iconSize: [30, 30],
      });
    };
  }

  // Symbols that would cover each other move apart; a thin line leads back to the place.
  const ROUNDS = 60;
  let leaders = null;

  function moveApart(map) {
    const symbols = [];
    map.eachLayer((layer) => {
      const icon = layer instanceof L.Marker && layer.getElement();
      if (!icon || !icon.matches(".symbol, .cluster")) return;
      const home = map.latLngToLayerPoint(layer.getLatLng());
      const grouped = icon.matches(".cluster");
      symbols.push({ layer, icon, home, at: home.clone(), reach: grouped ? 15 : 11.5, ease: grouped ? 1 : 0.5 });
    });
    symbols.sort((a, b) => a.home.x - b.home.x || a.home.y - b.home.y);
    // those in one place begin on a small ring around it
    symbols.forEach((one, i) => {
      const turn = 2.4 * i;
      if (symbols.some((other) => other !== one && other.home.equals(one.home)))
        one.at = one.home.add([Math.cos(turn), Math.sin(turn)]);
    });
    for (let round = 0; round < ROUNDS; round++) {
      let moved = false;
      symbols.forEach((a, i) => symbols.slice(i + 1).forEach((b) => {
        const gap = b.at.subtract(a.at);
        const apart = Math.hypot(gap.x, gap.y);
        const missing = a.reach + b.reach - apart;
        if (missing <= 0.5) return;
        const turn = Math.atan2(gap.y, gap.x);
        const push = L.point(Math.cos(turn), Math.sin(turn)).multiplyBy(missing / (a.ease + b.ease));
        a.at = a.at.subtract(push.multiplyBy(a.ease));
        b.at = b.at.add(push.multiplyBy(b.ease));
        moved = true;
      }));
      if (!moved) break;
    }
    leaders.clearLayers();
    for (const { icon, home, at } of symbols) {
      const shift = at.subtract(home);
      icon.style.translate = `${shift.x.toFixed(1)}px ${shift.y.toFixed(1)}px`;
      if (Math.hypot(shift.x, shift.y) < 8) continue;
      const ends = [home, at].map((point) => map.layerPointToLatLng(point));
      leaders.addLayer(L.polyline(ends, { color: "#1B2733", weight: 1, interactive: false }));
      leaders.addLayer(L.circleMarker(ends[0], {
        radius: 2, stroke: false, fillColor: "#1B2733", fillOpacity: 1, interactive: false,
      }));
    }
  }

  // A name gives way to symbols; the legend and the tooltip have it too.
  const STEPS = [-0.5, -0.25, 0, 0.25, 0.5];
  const MARGIN = 5;

  function hideCovered(map) {
    const taken = [...map.getPane("markerPane").children].map((icon) => icon.getBoundingClientRect());
    for (const label of document.querySelectorAll(".label.element span")) {
      const box = label.getBoundingClientRect();
      const turn = (parseFloat(label.style.rotate) || 0) * Math.PI / 180;
      const covered = STEPS.some((step) => {
        const x = (box.left + box.right) / 2 + step * label.offsetWidth * Math.cos(turn);
        const y = (box.top + box.bottom) / 2 + step * label.offsetWidth * Math.sin(turn);
        return taken.some((one) =>
          x > one.left - MARGIN && x < one.right + MARGIN && y > one.top - MARGIN && y < one.bottom + MARGIN);
      });
      label.style.visibility = covered ? "hidden" : "";
    }
  }

  function keepApart(map) {
    let waiting = 0;
    const arrange = () => {
      moveApart(map);
      hideCovered(map);
    };
    const later = (event) => {
      if (event.layer && !(event.layer instanceof L.Marker)) return;
      clearTimeout(waiting);
      waiting = setTimeout(arrange, 30);
    };
    leaders = L.layerGroup().addTo(map);
    map.on("zoomend layeradd layerremove", later);
    arrange();
  }

  function setUp(map) {
    map.eachLayer(dress);
    map.on("layeradd", (event) => dress(event.layer));
    map.on("popupopen", (event) => event.popup._source && openRing(map, event.popup._source));
    map.on("popupclose", closeRing);
    keepApart(map);
    document.getElementById("layer-control").append(document.querySelector(".leaflet-control-layers"));
    document.getElementById("panel").open = !NARROW.matches;
    document.addEventListener("keydown", (event) => event.key === "Escape" && map.closePopup());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show]");
      const layer = button && shown.get(button.dataset.show);
      if (!layer) return;
      if (NARROW.matches) document.getElementById("panel").open = false;
      layer.openPopup();
    });
  }

  document.addEventListener("DOMContentLoaded", () => setUp(map_0));
  return { cluster };
})();
