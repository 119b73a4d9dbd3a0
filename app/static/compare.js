// Two framed maps in step: what moves or zooms one does the same to the other, while the box is ticked.
(() => {
  "use strict";
  const box = document.getElementById("step");
  const frames = [...document.querySelectorAll("iframe")];
  // the name that Folium gives the first element of a page
  const mapOf = (frame) => frame.contentWindow.map_0;
  let leading = null;

  function follow(leader, other) {
    leader.on("move zoomend", () => {
      if (!box.checked || leading === other) return;
      leading = leader;
      other.setView(leader.getCenter(), leader.getZoom(), { animate: false });
      leading = null;
    });
  }

  function start() {
    const [one, other] = frames.map(mapOf);
    // regions apart from each other have no view in common
    const view = other.getBounds();
    // numbers, for each frame has a Leaflet of its own and knows no other's objects
    box.checked = one.getBounds().intersects([[view.getSouth(), view.getWest()], [view.getNorth(), view.getEast()]]);
    box.disabled = false;
    follow(one, other);
    follow(other, one);
    document.querySelector(".frames").dataset.ready = "yes";
  }

  const loaded = (frame) => new Promise((done) => {
    if (frame.contentDocument?.readyState === "complete" && frame.contentWindow.map_0) done();
    else frame.addEventListener("load", done, { once: true });
  });
  Promise.all(frames.map(loaded)).then(start);
})();
