import { part } from "fogline";

export default part({
  methods: {
    said(kind, value) {
      return kind === "exact" || kind === "bytes" || kind === "clock" ? this[kind](value) : value || "–";
    },
  },
  template: `<dl class="card facts"><div v-for="fact in v" :key="fact[0]"><dt>{{ fact[0] }}</dt><dd :class="{mono: fact[1] === 'mono'}">{{ said(fact[1], fact[2]) }}</dd></div></dl>`,
});
