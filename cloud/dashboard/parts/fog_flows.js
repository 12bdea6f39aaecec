import { part } from "fogline";

// Each equation is a bar: its length is what came in, its pieces are where that went. A piece that is too small to see
// keeps a few pixels; the figures below are exact.
export default part({
  methods: {
    width(term, flow) {
      return { flexGrow: term.count, flexBasis: term.count ? "5px" : "0" };
    },
  },
  template: `<div class="ledgers">
    <section v-for="line in v.lines" :key="line.pipeline + ' ' + line.stream + ' ' + line.plan" class="card ledger" :class="{wrong: !line.adds_up}">
      <header><h3><a :href="line.link">{{ line.pipeline }}</a> <span class="quiet">/</span> {{ line.stream }}</h3>
        <span class="badge" :class="line.adds_up ? 'is-good' : 'is-bad'"><glyph :kind="line.adds_up ? 'good' : 'bad'" />{{ line.adds_up ? "adds up" : "does not add up" }}</span>
        <span class="quiet small mono">plan {{ line.plan }}</span></header>
      <ul v-if="line.differences.length" class="differences" role="alert"><li v-for="(each, at) in line.differences" :key="at">{{ each }}</li></ul>
      <div v-for="flow in line.flows" :key="flow.name" class="flow">
        <div class="flow-head"><span>{{ flow.name }}</span><b>{{ exact(flow.total) }}</b><span class="unit">{{ flow.unit }}</span>
          <span v-if="flow.difference" class="flow-difference">{{ exact(Math.abs(flow.difference)) }} {{ flow.difference > 0 ? "not accounted for" : "too many" }}</span></div>
        <div class="stack" aria-hidden="true"><template v-for="term in flow.terms" :key="term.name"><i v-if="term.count" :class="'look-' + term.look" :style="width(term, flow)" :title="term.name + ': ' + exact(term.count)"></i></template>
          <i v-if="flow.difference > 0" class="look-difference" :style="{flexGrow: flow.difference, flexBasis: '5px'}"></i></div>
        <dl class="terms"><div v-for="term in flow.terms" :key="term.name" :class="{nothing: !term.count}"><dt><i :class="'look-' + term.look"></i>{{ term.name }}</dt><dd>{{ exact(term.count) }}</dd></div></dl>
      </div>
      <div v-if="line.redelivered || line.retained" class="quiet small">{{ exact(line.redelivered) }} redelivered and {{ exact(line.retained) }} retained messages were recognised.</div>
    </section>
    <div v-if="!v.lines.length" class="card empty">{{ v.known ? "Nothing yet: the ledger begins with a pipeline's first message." : "Not known yet." }}</div>
  </div>`,
});
