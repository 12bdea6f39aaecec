import { part } from "fogline";

const NUMBERS = new Set(["exact", "number", "rate", "bytes", "span"]);

export default part({
  methods: {
    numeric(kind, cell) {
      return NUMBERS.has(kind) || (kind === "value" && typeof cell === "number");
    },
    said(kind, cell) {
      if (kind === "list") return cell.length ? cell.join(", ") : "–";
      if (NUMBERS.has(kind) || kind === "value") return this[kind](cell);
      return cell === "" || cell === null ? "–" : cell;
    },
  },
  template: `<div class="card table-card">
    <table v-if="v.rows.length">
      <thead><tr><th v-for="(column, at) in v.columns" :key="at" scope="col" :class="{num: numeric(column.kind, v.rows[0][at])}">{{ column.label }}</th></tr></thead>
      <tbody><tr v-for="(row, place) in v.rows" :key="place">
        <td v-for="(cell, at) in row" :key="at" :data-label="v.columns[at].label" :class="{num: numeric(v.columns[at].kind, cell), mono: v.columns[at].kind === 'mono'}">
          <a v-if="v.columns[at].kind === 'link'" :href="cell[1]">{{ cell[0] }}</a>
          <span v-else-if="v.columns[at].kind === 'badge'" class="badge" :class="'is-' + cell[0]"><glyph :kind="cell[0]" />{{ cell[1] }}</span>
          <time v-else-if="v.columns[at].kind === 'clock'" :title="full(cell)">{{ clock(cell) }}</time>
          <span v-else class="cell">{{ said(v.columns[at].kind, cell) }}</span>
        </td></tr></tbody>
    </table>
    <div v-else class="table-empty">{{ v.empty }}</div>
  </div>`,
});
