import { part } from "fogline";

const UNITS = { number: "number", exact: "exact", rate: "rate", bytes: "bytes", span: "span", text: "value" };

export default part({
  methods: {
    said(figure) {
      return this[UNITS[figure.kind] ?? "value"](figure.value);
    },
  },
  template: `<dl class="figures">
    <div v-for="figure in v" :key="figure.name" class="card figure">
      <dt>{{ figure.name }}</dt>
      <dd><span class="figure-value">{{ said(figure) }}</span> <span class="unit">{{ figure.unit }}</span></dd>
      <trend v-if="figure.trend" :points="figure.trend" />
      <div v-else class="figure-note">{{ figure.note }}</div>
    </div>
  </dl>`,
});
