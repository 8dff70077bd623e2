// The map: our own town as GeoJSON, drawn by MapLibre with nothing from outside. The board works without it.

import { byId, h, icon } from "./dom.js";
import { inFull, isOver } from "./words.js";

const VENDOR = "/static/vendor/maplibre-gl";
const LIGHT = { land: "#f3f1ec", forest: "#d3e5c8", field: "#e3edd3", residential: "#ebe7df", industrial: "#e6e1e6", water: "#b9d9ea",
  building: "#d9d2c9", casing: "#c9c3b8", road: "#ffffff", main: "#f7b27a", path: "#cfc6b4", text: "#4a4a44", halo: "#f8f7f3" };
const DARK = { land: "#1b201e", forest: "#1f2f24", field: "#232b20", residential: "#222826", industrial: "#272530", water: "#16303f",
  building: "#2d3431", casing: "#0f1311", road: "#3b4542", main: "#7a5733", path: "#333a35", text: "#c3ccc7", halo: "#141917" };
const HUES = [210, 25, 145, 280, 340, 50, 185, 95, 255, 5, 165, 310];

export const colourOf = (index, dark) => `hsl(${HUES[index % HUES.length]} ${dark ? "65% 65%" : "70% 38%"})`;

export class TownMap {
  constructor(store, open) {
    this.store = store;
    this.open = open;
    this.markers = new Map();
    this.people = new Map();
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.ready = false;
    this.roads = null; // technician → their drives along the streets, asked for when somebody is chosen
  }

  note(sentence) {
    byId("map-note").textContent = sentence;
    byId("map-note").hidden = !sentence;
  }

  async start(hasLibrary) {
    if (!hasLibrary) {
      byId("map-panel").classList.add("without");
      this.note("The map library is not installed. Run: python -m server.web.vendor_assets. The board works without it.");
      return;
    }
    const [library, town] = await Promise.all([import(`${VENDOR}/maplibre-gl.mjs`), this.town()]);
    this.gl = library;
    library.setWorkerUrl(new URL(`${VENDOR}/maplibre-gl-worker.mjs`, location.href).href);
    this.info = town;
    try {
      this.map = new library.Map({
        container: "map",
        style: this.style(),
        bounds: this.bounds(),
        fitBoundsOptions: { padding: { top: 34, bottom: 30, left: 22, right: 22 }, maxZoom: 15 },
        attributionControl: false,
        dragRotate: false,
        pitchWithRotate: false,
        fadeDuration: 0,
        maxZoom: 19,
      });
    } catch {
      byId("map-panel").classList.add("without");
      this.note("This browser cannot draw the map (no WebGL 2). The board works without it.");
      return;
    }
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new library.AttributionControl({ compact: false, customAttribution: town?.attribution || "No streets: positions only" }));
    this.map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
    this.dark.addEventListener("change", () => { this.map.setStyle(this.style()); this.map.once("idle", () => this.draw()); });
    this.map.on("load", () => { this.ready = true; this.draw(); });
    this.map.once("idle", () => { byId("map").dataset.idle = "yes"; });
  }

  async town() {
    try {
      const response = await fetch("/api/map");
      if (response.ok) return await response.json();
      this.note((await response.json()).detail || "There is no street map.");
    } catch {
      this.note("The street map could not be loaded.");
    }
    return null;
  }

  bounds() {
    const places = [...this.store.orders.values()].map((order) => [order.lon, order.lat]);
    for (const one of this.store.technicians.values()) places.push([one.start_lon, one.start_lat]);
    if (!places.length) return [[-10, 35], [35, 70]];
    const lons = places.map(([lon]) => lon);
    const lats = places.map(([, lat]) => lat);
    return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
  }

  style() {
    const c = this.dark.matches ? DARK : LIGHT;
    const layers = this.info?.layers || [];
    const sources = Object.fromEntries(
      layers.map((name) => [name, { type: "geojson", data: `${location.origin}/api/map/${name}.geojson` }]),
    );
    sources.routes = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
    const width = (thin, wide) => ["interpolate", ["exponential", 1.6], ["zoom"], 10, thin, 18, wide];
    const byClass = (main, side, small) => ["match", ["get", "class"], ["motorway", "trunk", "primary", "secondary"], main, ["tertiary", "residential"], side, small];
    const drawn = [
      { id: "land", type: "background", paint: { "background-color": c.land } },
      { id: "landuse", source: "landuse", type: "fill", paint: { "fill-color": ["match", ["get", "class"], "forest", c.forest, ["field", "park", "wetland"], c.field, "residential", c.residential, "industrial", c.industrial, c.land] } },
      { id: "water-areas", source: "water", type: "fill", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": c.water } },
      { id: "water-lines", source: "water", type: "line", filter: ["==", ["geometry-type"], "LineString"], paint: { "line-color": c.water, "line-width": width(0.8, 6) } },
      { id: "buildings", source: "buildings", type: "fill", minzoom: 13, paint: { "fill-color": c.building } },
      { id: "paths", source: "roads", type: "line", minzoom: 14, filter: ["in", ["get", "class"], ["literal", ["path", "track", "pedestrian"]]], paint: { "line-color": c.path, "line-width": 1, "line-dasharray": [2, 2] } },
      { id: "road-casing", source: "roads", type: "line", filter: ["!", ["in", ["get", "class"], ["literal", ["path", "track", "pedestrian"]]]], layout: { "line-cap": "round" }, paint: { "line-color": c.casing, "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, byClass(1.8, 0.7, 0.3), 18, byClass(26, 17, 9)] } },
      { id: "road", source: "roads", type: "line", filter: ["!", ["in", ["get", "class"], ["literal", ["path", "track", "pedestrian"]]]], layout: { "line-cap": "round" }, paint: { "line-color": byClass(c.main, c.road, c.road), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, byClass(1.1, 0.4, 0.1), 18, byClass(22, 14, 7)] } },
      { id: "routes", source: "routes", type: "line", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ["get", "colour"], "line-width": ["case", ["get", "strong"], 4, 1.5], "line-opacity": ["case", ["get", "strong"], 0.95, ["get", "faint"], 0.12, 0.4] } },
      { id: "street-names", source: "roads", type: "symbol", minzoom: 15, layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-size": 11, "text-font": ["sans-serif"] }, paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.5 } },
      { id: "place-names", source: "places", type: "symbol", layout: { "text-field": ["get", "name"], "text-size": ["match", ["get", "class"], ["city", "town"], 15, "village", 13, 11], "text-font": ["sans-serif"] }, paint: { "text-color": c.text, "text-halo-color": c.halo, "text-halo-width": 1.5 } },
    ];
    return { version: 8, sources, layers: drawn.filter((layer) => !layer.source || sources[layer.source]) };
  }

  draw() {
    if (!this.ready) return;
    this.drawRoutes();
    this.drawJobs();
    this.drawPeople();
  }

  drawRoutes() {
    const source = this.map.getSource("routes");
    if (!source) return;
    const chosen = this.store.order(this.store.selected)?.technician_id || null;
    if (chosen) this.askRoads();
    const features = [...this.store.technicians.values()].map((one, index) => ({
      type: "Feature",
      properties: { colour: colourOf(index, this.dark.matches), strong: one.id === chosen, faint: chosen !== null },
      geometry: { type: "LineString", coordinates: (one.id === chosen && this.along(one)) || this.route(one, one.id === chosen) },
    }));
    source.setData({ type: "FeatureCollection", features });
  }

  // Straight legs in visiting order: what goes after what, not which street. The way so far only of the chosen one.
  route(one, whole) {
    const stops = this.store.of(one.id).filter((order) => order.state !== "cancelled");
    const done = stops.filter((order) => isOver(order.state));
    const shown = whole ? stops : [...done.slice(-1), ...stops.filter((order) => !isOver(order.state))];
    if (!shown.length) return [];
    const start = whole || !done.length ? [[one.start_lon, one.start_lat]] : [];
    return [...start, ...shown.map((order) => [order.lon, order.lat]), [one.end_lon, one.end_lat]];
  }

  forgetRoads() {
    this.roads = null;
  }

  // Along the streets, if the server knows them and they still are the visits that we show.
  along(one) {
    const drive = this.roads?.get(one.id);
    const stops = this.store.of(one.id).filter((order) => order.state !== "cancelled").map((order) => order.id);
    return drive && drive.visits.join() === stops.join() ? drive.line : null;
  }

  async askRoads() {
    if (this.roads) return;
    this.roads = new Map();
    try {
      const response = await fetch(`/api/plan/routes?day=${this.store.day}`);
      if (!response.ok) return;
      for (const { properties, geometry } of (await response.json()).features) {
        this.roads?.set(properties.technician_id, { visits: properties.work_order_ids, line: geometry.coordinates });
      }
      this.draw();
    } catch {
      // Straight lines will do.
    }
  }

  drawJobs() {
    const index = new Map([...this.store.technicians.keys()].map((id, position) => [id, position]));
    for (const [id, marker] of this.markers) {
      if (!this.store.orders.has(id)) { marker.remove(); this.markers.delete(id); }
    }
    for (const order of this.store.all()) {
      const verdict = this.store.verdicts.get(order.id);
      const signs = [order.state, order.technician_id, verdict?.level, order.id === this.store.selected].join();
      const old = this.markers.get(order.id);
      if (old?.signs === signs) continue;
      old?.remove();
      const late = verdict?.level === "late" && !isOver(order.state) ? " late" : "";
      const chosen = order.id === this.store.selected ? " selected" : "";
      // The timeline and the list say the same to keys and screen readers, so the markers stay out of their way.
      const dot = h("button", { class: `dot s-${order.state}${late}${chosen}`, tabindex: "-1", "aria-hidden": "true", title: inFull(order, verdict, this.store.board).replaceAll("; ", "\n"), onclick: (event) => { event.stopPropagation(); this.open(order.id); } }, icon(order.state));
      if (order.technician_id) dot.style.setProperty("--who", colourOf(index.get(order.technician_id) ?? 0, this.dark.matches));
      const marker = new this.gl.Marker({ element: dot }).setLngLat([order.lon, order.lat]).addTo(this.map);
      marker.signs = signs;
      this.markers.set(order.id, marker);
    }
  }

  drawPeople() {
    for (const marker of this.people.values()) marker.remove();
    this.people.clear();
    let index = 0;
    for (const one of this.store.technicians.values()) {
      const now = this.store.people.get(one.id);
      const colour = colourOf(index++, this.dark.matches);
      if (!now || now.lat === null) continue;
      const initials = one.name.split(" ").map((part) => part[0]).join("").slice(0, 2);
      const where = now.doing === "to" ? "on the way" : "last seen here";
      const badge = h("div", { class: `person ${now.doing}`, title: `${one.name}, ${where}`, "aria-hidden": "true" }, initials);
      badge.style.setProperty("--who", colour);
      this.people.set(one.id, new this.gl.Marker({ element: badge, offset: [0, -18] }).setLngLat([now.lon, now.lat]).addTo(this.map));
    }
  }

  // Bring the chosen job into view, without flying about.
  show(id) {
    const order = this.store.order(id);
    if (!this.ready || !order || this.map.getBounds().contains([order.lon, order.lat])) return;
    this.map.easeTo({ center: [order.lon, order.lat], animate: false });
  }
}

