"use strict";
// The address keeps the view, the layers and the base map, so that it can be shared:
// #map=zoom/lat/lon&layers=a,b&base=name
(() => {
  const DIGITS = 4;

  innomap.keepView = (map, layers, base) => {
    const on = () => Object.keys(layers).filter((name) => map.hasLayer(layers[name]));
    const usual = on().join();
    const whole = [map.getCenter(), map.getZoom()];

    function write() {
      const { lat, lng } = map.getCenter();
      const said = [`map=${[map.getZoom().toFixed(1), lat.toFixed(DIGITS), lng.toFixed(DIGITS)].join("/")}`];
      if (on().join() !== usual) said.push(`layers=${on().join()}`);
      if (base.chosen()) said.push(`base=${encodeURIComponent(base.chosen())}`);
      const hash = `#${said.join("&")}`;
      if (hash === location.hash) return;
      history.replaceState(history.state, "", hash);
      for (const link of document.querySelectorAll("header a[hreflang]")) link.hash = hash;
    }

    function read() {
      const said = new URLSearchParams(location.hash.slice(1));
      const [zoom, lat, lng] = (said.get("map") ?? "").split("/").map(Number);
      if (said.has("layers")) {
        const wanted = said.get("layers").split(",");
        for (const name of Object.keys(layers)) innomap.turn(name, wanted.includes(name));
      }
      if ((said.get("base") ?? "") !== base.chosen()) base.choose(said.get("base"));
      if (Number.isFinite(zoom) && Math.abs(lat) <= 90 && Math.abs(lng) <= 180)
        map.setView([lat, lng], zoom, { animate: false });
    }

    const acts = {
      whole: () => map.setView(...whole),
      print: () => print(),
      share: async (said) => {
        write();
        const address = document.createElement("input");
        address.readOnly = true;
        address.value = location.href;
        said.replaceChildren(said.dataset.copy, " ", address);
        address.select();
        try {
          // only over HTTPS and on this machine; elsewhere the address stays selected
          await navigator.clipboard.writeText(location.href);
          said.textContent = said.dataset.copied;
        } catch {
          address.focus();
        }
      },
    };
    for (const button of document.querySelectorAll("[data-act]"))
      button.addEventListener("click", () => acts[button.dataset.act](document.getElementById("said")));

    // on paper the page has another size: the same view is fitted into it, and back
    let screen = null;
    addEventListener("beforeprint", () => {
      screen = [map.getCenter(), map.getZoom()];
      const seen = map.getBounds();
      document.body.classList.add("printing");
      map.invalidateSize({ animate: false, pan: false }).fitBounds(seen, { animate: false });
      innomap.arrange(map);
    });
    addEventListener("afterprint", () => {
      document.body.classList.remove("printing");
      map.invalidateSize({ animate: false, pan: false }).setView(...screen, { animate: false });
      innomap.arrange(map);
    });

    read();
    addEventListener("hashchange", read);
    map.on("moveend layerswitch", write);
  };
})();
