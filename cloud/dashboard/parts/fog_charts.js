import { clock, exact, number, part, standing, value } from "fogline";
import { axes, Chart, colour } from "fogline/chart.js";

const DECALS = {
  open: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4 },
  partial: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [3, 3], rotation: Math.PI / 4 },
  revised: { symbol: "circle", dashArrayX: [[5, 5], [0, 5, 5, 0]], dashArrayY: [4, 0], symbolSize: 0.7 },
};
// A text of outside is drawn as it is: "{" would begin a style of ECharts' rich text.
const plain = (text) => String(text).replaceAll("{", "\uff5b").replaceAll("}", "\uff5d").replaceAll("|", "\u00a6").slice(0, 60);

export default part({
  components: { Chart },
  data() {
    return { chosen: "" };
  },
  computed: {
    output() {
      return this.v.outputs.includes(this.chosen) ? this.chosen : (this.v.outputs[0] ?? "");
    },
    statuses() {
      return ["open", "complete", "partial", "revised"].map((status) => ({ status, count: this.v.windows.filter((w) => w.status === status).length }));
    },
    completeness() {
      const { windows } = this.v;
      return () => ({
        ...axes({
          yLabel: { formatter: (n) => number(n) },
          tooltip: { formatter: (points) => describe(windows[points[0].dataIndex]), axisPointer: { type: "shadow", shadowStyle: { opacity: 0.1 } } },
        }),
        series: [{
          name: "readings",
          type: "bar",
          barCategoryGap: "18%",
          barMaxWidth: 28,
          data: windows.map((window) => ({
            value: [(window.start + window.end) / 2000, window.readings],
            itemStyle: { color: colour(`fill-${window.status}`), decal: decal(window.status) },
          })),
        }],
      });
    },
    values() {
      const { series, windows } = this.v;
      const output = this.output;
      const lines = series.map((each) => ({ name: each.name, numbers: new Map(each.values).get(output) })).filter((each) => each.numbers);
      return () => ({
        ...axes({
          yAxis: { scale: true },
          yLabel: { formatter: (n) => number(n) },
          tooltip: { formatter: (points) => [clock(points[0].value[0] * 1000), ...points.filter((p) => p.value[1] !== null).map((p) => `${p.marker}${plain(p.seriesName)}  ${value(p.value[1])}`)].join("\n") },
        }),
        series: lines.map((each, at) => ({
          name: each.name,
          type: "line",
          showSymbol: windows.length < 3,
          symbolSize: 5,
          lineStyle: { width: 1.75, type: at < 5 ? "solid" : "dashed" },
          itemStyle: { color: colour(`series-${(at % 10) + 1}`) },
          emphasis: { disabled: true },
          data: points(windows, each.numbers),
        })),
      });
    },
  },
  methods: {
    dash(at) {
      return { background: at < 5 ? `var(--series-${(at % 10) + 1})` : `repeating-linear-gradient(90deg, var(--series-${(at % 10) + 1}) 0 4px, transparent 4px 7px)` };
    },
  },
  template: `<div class="charts">
    <section class="card chart-card">
      <div class="chart-head"><h3>Readings in each window</h3>
        <ul class="legend"><li v-for="each in statuses" :key="each.status" :class="{nothing: !each.count}"><glyph :kind="each.status" />{{ each.count }} {{ each.status }}</li></ul></div>
      <chart v-if="v.windows.length" :make="completeness" :height="200" :label="v.label + ': readings and completeness'" />
      <div v-else class="chart-empty">No window yet: the first opens with the first reading.</div>
    </section>
    <section class="card chart-card">
      <div class="chart-head"><h3>Values by key</h3>
        <label v-if="v.outputs.length > 1" class="choice"><span class="unseen">Output</span><select :value="output" @change="chosen = $event.target.value"><option v-for="each in v.outputs" :key="each">{{ each }}</option></select></label></div>
      <chart v-if="v.outputs.length" :make="values" :height="200" :label="v.label + ': values of ' + output" />
      <div v-else class="chart-empty">No number to draw yet.</div>
      <ul v-if="v.outputs.length" class="legend keys"><li v-for="(each, at) in v.series" :key="each.name" class="clip"><i :style="dash(at)"></i>{{ each.name }}</li></ul>
    </section>
  </div>`,
});

// A line breaks where a window is missing between two others.
function points(windows, numbers) {
  const found = [];
  windows.forEach((window, at) => {
    if (at && window.start > windows[at - 1].end) found.push([windows[at - 1].end / 1000, null]);
    found.push([window.start / 1000, numbers[at]]);
  });
  return found;
}

function decal(status) {
  return DECALS[status] ? { ...DECALS[status], color: colour("card") } : undefined;
}

function describe(window) {
  if (!window) return "";
  const lines = [`${clock(window.start)} to ${clock(window.end)}`, standing(window), `${exact(window.readings)} readings, ${exact(window.keys)} keys`];
  if (window.missing.length && window.status !== "open") lines.push(`missing: ${window.missing.slice(0, 5).map(plain).join(", ")}${window.missing.length > 5 ? " …" : ""}`);
  return lines.join("\n");
}
