"use strict";
// Symbols that would cover each other move apart, and every name goes where it is free, at each zoom anew.
(() => {
  const INK = "#1B2733";
  const ROUNDS = 60;
  // pixels from the middle of a symbol or a cluster within which no other may stand
  const REACH = { symbol: 11.5, cluster: 14 };
  // pixels that stay free around a symbol, and around words
  const AIR = 3;
  // pixels between a line and the words above or below it
  const GAP = 4;
  let leaders = null;
  // which of its places each name has
  const held = new WeakMap();

  // ------------------------------------------------------------------------------------------------------ symbols

  // A thin line leads back to the place; clusters keep theirs better than single symbols.
  function moveApart(map) {
    const symbols = [];
    map.eachLayer((layer) => {
      const icon = layer instanceof L.Marker && layer.getElement();
      if (!icon || !icon.matches(".symbol, .cluster")) return;
      const home = map.latLngToLayerPoint(layer.getLatLng());
      const kind = icon.matches(".cluster") ? "cluster" : "symbol";
      symbols.push({ icon, home, at: home.clone(), reach: REACH[kind], ease: kind === "cluster" ? 1 : 0.5 });
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
        const missing = a.reach + b.reach - Math.hypot(gap.x, gap.y);
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
      leaders.addLayer(L.polyline(ends, { color: INK, weight: 1, interactive: false }));
      leaders.addLayer(L.circleMarker(ends[0], {
        radius: 2, stroke: false, fillColor: INK, fillOpacity: 1, interactive: false,
      }));
    }
    return symbols.map(({ at, reach }) => upright(at, 2 * (reach + AIR), 2 * (reach + AIR)));
  }

  // -------------------------------------------------------------------------------------------------------- names

  // Boxes are lists of corners; a line is a box of two.
  function box(at, width, height, turn) {
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) =>
      L.point(at.x + (x * width * c - y * height * s) / 2, at.y + (x * width * s + y * height * c) / 2));
  }

  const upright = (at, width, height) => box(at, width, height, 0);

  // Whether two convex shapes meet: they do not where some edge separates them.
  function meet(a, b) {
    const reach = (shape, x, y) => {
      const along = shape.map((point) => point.x * x + point.y * y);
      return [Math.min(...along), Math.max(...along)];
    };
    for (const shape of [a, b]) {
      for (let i = 0; i < shape.length; i++) {
        const [one, next] = [shape[i], shape[(i + 1) % shape.length]];
        const [x, y] = [one.y - next.y, next.x - one.x];
        const [[low, high], [from, to]] = [reach(a, x, y), reach(b, x, y)];
        if (high < from || to < low) return false;
      }
    }
    return true;
  }

  // A corridor's axis, piece by piece; its name may run beside it but not across.
  function axes(map) {
    const pieces = [];
    map.eachLayer((layer) => {
      if (!(layer instanceof L.Polyline) || layer instanceof L.Polygon || !layer.feature) return;
      const points = layer.getLatLngs().flat().map((one) => map.latLngToLayerPoint(one));
      points.slice(1).forEach((point, i) => pieces.push([points[i], point]));
    });
    return pieces;
  }

  function spot(map, [x, y, turn, above, beside], width, height) {
    const at = map.latLngToLayerPoint([y, x]);
    if (beside !== undefined) {
      const away = beside * Math.PI / 180;
      return [at.add([Math.cos(away) * width / 2, -Math.sin(away) * height / 2]), 0];
    }
    const angle = turn * Math.PI / 180;
    const up = above * (height / 2 + GAP);
    return [at.add([up * Math.sin(angle), -up * Math.cos(angle)]), angle];
  }

  // Names of the layout come before those of divisions; one that is nowhere free is left to the legend.
  const ORDER = [".element.corridor", ".element.section", ".element", ".ground", ".around"];
  const GROUND = ORDER.indexOf(".ground");

  function placeNames(map, taken) {
    const names = [];
    map.eachLayer((layer) => {
      const icon = layer instanceof L.Marker && layer.feature?.properties.places && layer.getElement();
      if (icon) names.push({ layer, icon, rank: ORDER.findIndex((selector) => icon.matches(selector)) });
    });
    names.sort((a, b) => a.rank - b.rank);
    const lines = axes(map);
    const view = L.bounds([0, 0], map.getSize());
    const seen = (words) => words.every((corner) => view.contains(map.layerPointToContainerPoint(corner)));
    for (const { layer, icon, rank } of names) {
      const span = icon.firstElementChild;
      const [width, height] = [span.offsetWidth + AIR, span.offsetHeight * 0.95];
      const spots = layer.feature.properties.places.map((place) => {
        const [at, turn] = spot(map, place, width, height);
        return { at, turn, words: box(at, width, height, turn) };
      });
      // where it stood before, if that is still free
      const inView = [held.get(layer), ...spots.keys()].map((i) => spots[i]).filter((one) => one && seen(one.words));
      const clear = (...others) => ({ words }) => !others.flat().some((one) => meet(words, one));
      const found = inView.find(clear(taken, lines))
        // across a line a division's name can still be read
        ?? (rank === GROUND ? inView.find(clear(taken)) : undefined);
      span.style.visibility = found ? "visible" : "hidden";
      held.set(layer, spots.indexOf(found));
      if (!found) continue;
      taken.push(found.words);
      const shift = found.at.subtract(map.latLngToLayerPoint(layer.getLatLng()));
      span.style.translate = `calc(${shift.x.toFixed(1)}px - 50%) calc(${shift.y.toFixed(1)}px - 50%)`;
      span.style.rotate = `${found.turn.toFixed(3)}rad`;
    }
  }

  // `innomap.covered` gives middles and radii of what is drawn on a canvas.
  innomap.arrange = (map) => {
    const painted = (innomap.covered?.() ?? []).map(([at, radius]) => upright(at, 2 * radius, 2 * radius));
    placeNames(map, [...moveApart(map), ...painted]);
  };

  innomap.keepApart = (map) => {
    let waiting = 0;
    const later = () => {
      clearTimeout(waiting);
      waiting = setTimeout(innomap.arrange, 30, map);
    };
    leaders = L.layerGroup().addTo(map);
    map.on("moveend layerswitch viewreset animationend", later);
    innomap.arrange(map);
    document.fonts.ready.then(later);
  };
})();
