// ECharts as NiceGUI brings it, drawn with the page's colours. Texts from outside are only ever drawn: tooltips are
// drawn on the canvas, too ("richText"), so that nothing of them is read as HTML.
import { echarts } from "nicegui-echart";

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export const Chart = {
  props: { make: Function, height: { type: Number, default: 220 }, label: String },
  mounted() {
    this.chart = echarts.init(this.$refs.place, null, { renderer: "canvas" });
    this.resizer = new ResizeObserver(() => this.chart.resize());
    this.resizer.observe(this.$refs.place);
    this.redraw = () => this.draw(true);
    window.addEventListener("fogline-theme", this.redraw);
    this.draw(true);
    this.$watch("make", () => this.draw(false));
  },
  beforeUnmount() {
    window.removeEventListener("fogline-theme", this.redraw);
    this.resizer.disconnect();
    this.chart.dispose();
  },
  methods: {
    draw(anew) {
      const option = this.make();
      const lines = JSON.stringify(option.series.map((series) => series.name));
      // Lines that are gone must go from the picture, too; else the old ones are moved, which is calmer.
      this.chart.setOption({ ...common(), ...option }, { notMerge: anew || lines !== this.lines });
      this.lines = lines;
    },
  },
  template: `<div ref="place" class="chart" role="img" :aria-label="label" :style="{height: height + 'px'}"></div>`,
};

function common() {
  return {
    animation: false,
    textStyle: { fontFamily: "Roboto, system-ui, sans-serif", color: colour("quiet") },
  };
}

export function axes(extra = {}) {
  const line = { lineStyle: { color: colour("line") } };
  const label = { color: colour("quiet"), fontSize: 12, hideOverlap: true };
  return {
    grid: { left: 4, right: 20, top: 12, bottom: 4, containLabel: true, ...(extra.grid ?? {}) },
    xAxis: { type: "time", axisLine: { lineStyle: { color: colour("strong-line") } }, axisTick: line, axisLabel: label, splitLine: { show: false }, ...(extra.xAxis ?? {}) },
    yAxis: { type: "value", splitNumber: 3, axisLabel: { ...label, ...(extra.yLabel ?? {}) }, splitLine: line, ...(extra.yAxis ?? {}) },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      transitionDuration: 0,
      backgroundColor: colour("card"),
      borderColor: colour("strong-line"),
      borderWidth: 1,
      padding: [8, 12],
      textStyle: { color: colour("text"), fontSize: 12 },
      axisPointer: { type: "line", lineStyle: { color: colour("strong-line") } },
      ...(extra.tooltip ?? {}),
    },
  };
}
