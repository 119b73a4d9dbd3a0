"use strict";
// WGS 84 to GCJ-02 and back, the same formula as app/gcj02.py, which names its source. Display only.
const gcj02 = (() => {
  const AXIS = 6378245.0;
  const ECCENTRICITY = 0.00669342162296594323;
  const [WEST, SOUTH, EAST, NORTH] = [72.004, 0.8293, 137.8347, 55.8271];
  const TOLERANCE = 1e-9;
  const STEPS = 20;

  const waves = (value, ...terms) =>
    terms.reduce((sum, [height, divisor]) => sum + height * Math.sin(value * Math.PI / divisor), 0);

  // Degrees east and north from WGS 84 to GCJ-02; zero outside the box.
  function shift(lon, lat) {
    if (!(lon >= WEST && lon <= EAST && lat >= SOUTH && lat <= NORTH)) return [0, 0];
    const [x, y] = [lon - 105, lat - 35];
    const root = Math.sqrt(Math.abs(x));
    const common = 20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI);
    let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
    north += (common + waves(y, [20, 1], [40, 3], [160, 12], [320, 30])) * 2 / 3;
    let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
    east += (common + waves(x, [20, 1], [40, 3], [150, 12], [300, 30])) * 2 / 3;
    const radians = lat * Math.PI / 180;
    const bulge = 1 - ECCENTRICITY * Math.sin(radians) ** 2;
    const meridian = AXIS * (1 - ECCENTRICITY) / bulge ** 1.5;
    const parallel = AXIS / Math.sqrt(bulge) * Math.cos(radians);
    return [east / parallel * 180 / Math.PI, north / meridian * 180 / Math.PI];
  }

  function from(lon, lat) {
    const [east, north] = shift(lon, lat);
    return [lon + east, lat + north];
  }

  // The point that `from` carries to the one given: fixed-point iteration on what is missing.
  function to(lon, lat) {
    let guess = [lon, lat];
    for (let step = 0; step < STEPS; step++) {
      const there = from(...guess);
      const missing = [lon - there[0], lat - there[1]];
      guess = [guess[0] + missing[0], guess[1] + missing[1]];
      if (Math.max(Math.abs(missing[0]), Math.abs(missing[1])) < TOLERANCE) break;
    }
    return guess;
  }

  return { fromWgs84: from, toWgs84: to };
})();
