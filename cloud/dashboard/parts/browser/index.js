// What the parts share: numbers with units, times in the browser's zone, shapes of states. No part asks anybody for
// anything; each draws the one value it is given.

const DASH = "–";

// Few digits, the same width from second to second: 7, 950, 1.25k, 34.1M.
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 1e12) return scaled(value / 1e12) + "T";
  if (size >= 1e9) return scaled(value / 1e9) + "G";
  if (size >= 1e6) return scaled(value / 1e6) + "M";
  if (size >= 1e4) return scaled(value / 1e3) + "k";
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString("en");
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 0.01 || size === 0 ? value.toFixed(2) : value.toPrecision(2);
}

function scaled(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

// Every digit, for figures that must add up.
export function exact(value) {
  return value === null || value === undefined ? DASH : value.toLocaleString("en");
}

// A rate a second.
export function rate(value) {
  if (value === null || value === undefined) return DASH;
  return value >= 1000 ? number(value) : value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

export function bytes(value) {
  if (value === null || value === undefined) return DASH;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

// An instant (microseconds since 1970 UTC) on the browser's clock; the day is said when it is not today.
export function clock(us) {
  if (!us) return DASH;
  const instant = new Date(us / 1000);
  const today = new Date().toDateString() === instant.toDateString();
  return today ? CLOCK.format(instant) : `${DAY.format(instant)} ${CLOCK.format(instant)}`;
}

// The same with date and zone, for titles.
export function full(us) {
  return us ? FULL.format(new Date(us / 1000)) : "";
}

export function span(us) {
  if (us === null || us === undefined) return DASH;
  const seconds = us / 1e6;
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function percent(share) {
  return share === null || share === undefined ? DASH : `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;
}

// A result's value: text and truth as they are, numbers short, null as a dash.
export function value(given) {
  if (given === null || given === undefined) return DASH;
  return typeof given === "number" ? number(given) : String(given);
}

// A line through the points of a trend in a box of this size, the newest at the right edge; gaps where a point is not
// known. With `shut` it is closed to an area above the box's bottom.
export function line(points, width, height, { shut = false, slots = 60 } = {}) {
  const known = points.filter((point) => point !== null);
  if (known.length < 2) return "";
  const top = Math.max(...known, 1e-9);
  const scale = (height - 3) / top;
  const across = Math.max(points.length, slots) - 1;
  let path = "";
  let begun = null;
  const end = (x) => {
    if (shut && begun !== null) path += `L${x} ${height}L${begun} ${height}Z`;
    begun = null;
  };
  let last = "0";
  points.forEach((point, at) => {
    if (point === null) {
      end(last);
      return;
    }
    last = (((across - points.length + 1 + at) * width) / across).toFixed(1);
    path += `${begun === null ? "M" : "L"}${last} ${(height - 1 - Math.max(point, 0) * scale).toFixed(1)}`;
    begun ??= last;
  });
  end(last);
  return path;
}

// Levels and states differ in shape as well as in colour.
const SHAPES = {
  good: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  warning: "M8 1.5 15 14H1Z",
  bad: "M5 1.5h6L14.500 5v6L11 14.500H5L1.500 11V5Z",
  lost: "M5 1.5h6L14.500 5v6L11 14.500H5L1.500 11V5Z",
  unknown: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  open: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8Z",
  complete: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Z",
  partial: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm0 2v8a4 4 0 0 1 0-8Z",
  revised: "M8 1 15 8 8 15 1 8Z",
};

export const Glyph = {
  props: { kind: String },
  computed: {
    shape() {
      return SHAPES[this.kind] ?? SHAPES.unknown;
    },
  },
  template: `<svg class="glyph" :class="'is-' + kind" viewBox="0 0 16 16" aria-hidden="true"><path :d="shape" fill-rule="evenodd"/></svg>`,
};

export const Trend = {
  props: { points: Array, width: { type: Number, default: 120 }, height: { type: Number, default: 28 } },
  computed: {
    path() {
      return line(this.points ?? [], this.width, this.height);
    },
    area() {
      return line(this.points ?? [], this.width, this.height, { shut: true });
    },
  },
  template: `<svg class="trend" :viewBox="'0 0 ' + width + ' ' + height" preserveAspectRatio="none" aria-hidden="true"><path class="area" :d="area"/><path class="line" :d="path"/></svg>`,
};

// Bars of the newest windows: height = readings, look = status.
export const Strip = {
  props: { windows: Array, height: { type: Number, default: 56 } },
  computed: {
    bars() {
      const windows = this.windows ?? [];
      const most = Math.max(1, ...windows.map((window) => window.readings));
      const step = 240 / Math.max(windows.length, 30);
      return windows.map((window, at) => {
        const height = Math.max(2, (window.readings / most) * (this.height - 4));
        return {
          x: 240 - (windows.length - at) * step,
          y: this.height - height,
          width: Math.max(step - 1.2, 0.8),
          height,
          status: window.status,
          title: `${clock(window.start)}: ${exact(window.readings)} readings, ${standing(window)}`,
        };
      });
    },
  },
  template: `<svg class="strip" :viewBox="'0 0 240 ' + height" preserveAspectRatio="none" aria-hidden="true">
    <rect v-for="bar in bars" :key="bar.x" :x="bar.x" :y="bar.y" :width="bar.width" :height="bar.height" :class="'fill-' + bar.status"><title>{{ bar.title }}</title></rect>
  </svg>`,
};

// "complete 2 of 2", "partial 1 of 2", "revised 3 times".
export function standing(window) {
  const nodes = `${window.have} of ${window.expected}`;
  if (window.status === "revised") return `revised ${window.revision} time${window.revision === 1 ? "" : "s"}, ${nodes}`;
  return `${window.status}, ${nodes}`;
}

// A part is a component that reads its value from the one property "view".
export function part(component) {
  return {
    ...component,
    props: { view: String, ...(component.props ?? {}) },
    computed: {
      v() {
        return JSON.parse(this.view);
      },
      ...(component.computed ?? {}),
    },
    methods: { number, exact, rate, bytes, clock, full, span, percent, value, standing, ...(component.methods ?? {}) },
    components: { Glyph, Trend, Strip, ...(component.components ?? {}) },
  };
}
