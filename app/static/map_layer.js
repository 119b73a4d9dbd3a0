"use strict";
// The page of one layer. Features are drawn on a canvas, so that thousands stay smooth; of a layer too large for the
// page, the pieces in view are fetched: features where they are few, else how many there are, cell by cell.
(() => {
  const INK = "#1B2733";
  const PAPER = "#FFFFFF";
  const DEEPEST = 18;
  // how far beyond the view pieces are fetched, as a share of it
  const AROUND = 0.15;
  const compact = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });

  // -------------------------------------------------------------------------------------------------- on a canvas

  L.Canvas.include({
    _updateSign(layer) {
      if (!this._drawing || layer._empty()) return;
      const { corners, ring } = layer.options.sign;
      const { x, y } = layer._point;
      const context = this._ctx;
      context.beginPath();
      if (corners.length) corners.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + dx, y + dy));
      else context.arc(x, y, ring ? 7 : 5, 0, 2 * Math.PI);
      context.closePath();
      this._fillStroke(context, layer);
    },
    _updateCount(layer) {
      if (!this._drawing || layer._empty()) return;
      const { x, y } = layer._point;
      const context = this._ctx;
      context.beginPath();
      context.arc(x, y, layer._radius, 0, 2 * Math.PI);
      this._fillStroke(context, layer);
      context.fillStyle = INK;
      context.font = "600 12px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(layer.options.text, x, y + 0.5);
    },
  });
  const Sign = L.CircleMarker.extend({ _updatePath() { this._renderer._updateSign(this); } });
  const Count = L.CircleMarker.extend({ _updatePath() { this._renderer._updateCount(this); } });

  function sign(feature, place, signs) {
    const { colour, ring } = signs[feature.symbol];
    const empty = feature.hollow || ring;
    return new Sign(place, {
      sign: signs[feature.symbol], radius: 8, fillOpacity: 1,
      color: empty ? colour : PAPER, fillColor: empty ? PAPER : colour, weight: empty ? 2 : 1,
    });
  }

  // An outline that several features have is painted once: many thin coats would make it opaque.
  function shape(feature, shapes, signs, painted) {
    const style = { ...signs[feature.symbol].style, ...(feature.dashed && { dashArray: "6 4" }) };
    if (painted.has(feature.shape)) Object.assign(style, { stroke: false, fillOpacity: 0 });
    painted.add(feature.shape);
    const layer = L.geoJSON(shapes[feature.shape], {
      style: ({ geometry }) => (geometry.type.endsWith("Point") ? {} : style),
      pointToLayer: (_, place) => sign(feature, place, signs),
    });
    layer.eachLayer((one) => { one.key = feature; });
    return layer;
  }

  function count(cell, map) {
    const layer = new Count(L.latLng(cell.at[1], cell.at[0]), {
      text: compact.format(cell.count), radius: 11 + 3.5 * Math.log10(cell.count),
      color: INK, weight: 1, fillColor: PAPER, fillOpacity: 0.85,
    });
    const [west, south, east, north] = cell.box;
    layer.on("click", () => {
      const inner = L.latLngBounds([south, west], [north, east]);
      const zoom = Math.min(map.getBoundsZoom(inner), map.getZoom() + 3);
      map.setView(cell.count > 1 ? inner.getCenter() : layer.getLatLng(), Math.max(zoom, map.getZoom() + 1));
    });
    return layer;
  }

  // Numbers of neighbouring cells whose features are near their common edge would cover each other.
  const ROUNDS = 20;

  function moveApart(counts, map) {
    const all = [];
    counts.eachLayer((group) => group.eachLayer((one) => {
      one.home ??= one.getLatLng();
      all.push({ one, at: map.latLngToLayerPoint(one.home) });
    }));
    for (let round = 0, moved = true; moved && round < ROUNDS; round++) {
      moved = false;
      all.forEach((a, i) => all.slice(i + 1).forEach((b) => {
        const gap = b.at.subtract(a.at);
        const far = Math.hypot(gap.x, gap.y);
        const missing = a.one.options.radius + b.one.options.radius - far;
        if (missing <= 0.5) return;
        const push = (far ? gap.divideBy(far) : L.point(1, 0)).multiplyBy(missing / 2);
        a.at = a.at.subtract(push);
        b.at = b.at.add(push);
        moved = true;
      }));
    }
    for (const { one, at } of all) one.setLatLng(map.layerPointToLatLng(at));
  }

  // ------------------------------------------------------------------------------------------------------- popups

  // What lies on top of each other is listed, for one alone could be clicked.
  const LISTED = 30;

  function openPopups(map, features, collection) {
    const show = (feature, place) => {
      const popup = L.popup(innomap.popupSize(map)).setLatLng(place);
      const words = document.createElement("article");
      words.className = "popup";
      words.textContent = `${feature.name} …`;
      popup.setContent(words).openOn(map);
      innomap.fetched(`${collection}/${encodeURIComponent(feature.id)}`)
        .then((article) => popup.setContent(article), () => { words.textContent = `${feature.name} ×`; });
    };
    features.on("click", (event) => {
      L.DomEvent.stopPropagation(event);
      const hit = new Map();
      each(features, (one) => {
        if (one.key && one._point && one._containsPoint(event.layerPoint)) hit.set(one.key.id, one.key);
      });
      if (hit.size < 2) return show(event.propagatedFrom.key, event.latlng);
      const list = document.createElement("ul");
      list.className = "popup list";
      for (const feature of [...hit.values()].slice(0, LISTED)) {
        const button = document.createElement("button");
        button.dataset.feature = feature.id;
        button.textContent = feature.name;
        button.addEventListener("click", () => show(feature, event.latlng));
        list.appendChild(document.createElement("li")).append(button);
      }
      if (hit.size > LISTED) list.appendChild(document.createElement("li")).append(`… ${hit.size}`);
      L.popup(innomap.popupSize(map)).setLatLng(event.latlng).setContent(list).openOn(map);
    });
    const tip = L.tooltip({ direction: "top", offset: [0, -8] });
    features.on("mouseover", (event) => {
      const name = document.createElement("strong");
      name.textContent = event.propagatedFrom.key.name;
      tip.setLatLng(event.latlng).setContent(name).addTo(map);
    });
    features.on("mousemove", (event) => tip.setLatLng(event.latlng));
    features.on("mouseout", () => tip.remove());
  }

  function each(group, act) {
    if (group.getLayers) for (const one of group.getLayers()) each(one, act);
    else act(group);
  }

  // ------------------------------------------------------------------------------------------------------- pieces

  const column = (lng, level) => Math.floor((lng + 180) / 360 * 2 ** level);
  const row = (lat, level) =>
    Math.floor((1 - Math.asinh(Math.tan(Math.max(-85, Math.min(85, lat)) * Math.PI / 180)) / Math.PI) / 2 * 2 ** level);

  // Addresses of the pieces that the view needs, within the layer's own box.
  function wanted(map, template, box) {
    const level = Math.max(0, Math.min(DEEPEST, Math.round(map.getZoom())));
    const view = map.getBounds().pad(AROUND);
    const edges = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()];
    const [west, south, east, north] = edges.map((edge, i) => (i < 2 ? Math.max : Math.min)(edge, box[i]));
    const found = new Set();
    for (let x = column(west, level); x <= column(east, level); x++)
      for (let y = row(north, level); y <= row(south, level); y++)
        found.add(template.replace("{level}", level).replace("{row}", y).replace("{column}", x));
    return found;
  }

  function keepPieces(map, given, features, counts) {
    // address -> what is shown of it; what is asked for; what came of a new level and waits for the rest of it
    const held = new Map();
    const asked = new Map();
    const staged = new Map();
    // feature -> what is drawn of it, and by how many pieces it came
    const shown = new Map();
    const note = document.getElementById("said");
    let need = new Set();
    let level = null;
    let heldLevel = null;
    let failed = 0;

    function put(address, piece) {
      const mine = { ids: [], counts: L.layerGroup((piece.cells ?? []).map((cell) => count(cell, map))).addTo(counts) };
      const painted = new Set();
      for (const feature of piece.features ?? []) {
        const one = shown.get(feature.id) ?? { uses: 0, layer: shape(feature, piece.shapes, given.signs, painted) };
        if (!one.uses++) features.addLayer(one.layer);
        shown.set(feature.id, one);
        mine.ids.push(feature.id);
      }
      held.set(address, mine);
    }

    function drop(address) {
      const mine = held.get(address);
      held.delete(address);
      counts.removeLayer(mine.counts);
      for (const id of mine.ids) {
        const one = shown.get(id);
        if (--one.uses) continue;
        features.removeLayer(one.layer);
        shown.delete(id);
      }
    }

    // A new level is shown at once, when all of it is there: two levels together would count twice.
    function settle() {
      if (asked.size) return;
      for (const address of [...held.keys()]) if (!need.has(address)) drop(address);
      for (const [address, piece] of staged) if (need.has(address)) put(address, piece);
      staged.clear();
      moveApart(counts, map);
      heldLevel = level;
      note.textContent = failed ? note.dataset.failed : "";
      map.getContainer().dataset.pieces = failed ? "failed" : "shown";
      map.fire("layerswitch");
    }

    async function ask(address) {
      const stop = new AbortController();
      asked.set(address, stop);
      try {
        const answer = await fetch(address, { signal: stop.signal });
        if (!answer.ok) throw new Error(answer.status);
        const piece = await answer.json();
        if (level === heldLevel) put(address, piece);
        else staged.set(address, piece);
      } catch {
        if (!stop.signal.aborted) failed++;
      }
      if (asked.get(address) === stop) asked.delete(address);
      settle();
    }

    function update() {
      need = wanted(map, given.pieces, given.box);
      level = Math.round(map.getZoom());
      failed = 0;
      for (const [address, stop] of [...asked]) {
        if (need.has(address)) continue;
        asked.delete(address);
        stop.abort();
      }
      for (const address of need) if (!held.has(address) && !staged.has(address) && !asked.has(address)) ask(address);
      settle();
    }

    let waiting = 0;
    map.on("moveend", () => {
      map.getContainer().dataset.pieces = "fetching";
      clearTimeout(waiting);
      waiting = setTimeout(update, 80);
    });
    map.getContainer().dataset.pieces = "fetching";
    update();
  }

  // Where names of the ground would be hidden; many small symbols leave no place for any, and are not looked at.
  const MOST = 400;

  function covered(map, ...groups) {
    const places = [];
    for (const group of groups) each(group, (one) => one.getLatLng && places.push(one));
    if (places.length > MOST) return [];
    return places.map((one) => [map.latLngToLayerPoint(one.getLatLng()), one.getRadius()]);
  }

  innomap.startLayer = (map, layers) => {
    const given = JSON.parse(document.getElementById("layer").textContent);
    const canvas = { renderer: L.canvas({ padding: 0.3, tolerance: 2 }) };
    // every path of this map that names no other renderer
    map.options.renderer = canvas.renderer;
    const features = L.featureGroup().addTo(map);
    const counts = L.featureGroup().addTo(map);
    innomap.covered = () => covered(map, features, counts);
    innomap.begin(map, layers);
    openPopups(map, features, given.collection);
    const painted = new Set();
    if (given.features)
      for (const feature of given.features) features.addLayer(shape(feature, given.shapes, given.signs, painted));
    else if (given.box) keepPieces(map, given, features, counts);
  };
})();
