import { part } from "fogline";

export default part({
  template: `<div class="map" role="img" :aria-label="v.label">
    <section class="tier">
      <h3>Devices</h3>
      <div class="machine"><div class="machine-big">{{ number(v.devices) }}</div><div class="quiet">connected</div></div>
    </section>
    <div class="link" :class="{still: !v.messages}"><b>{{ rate(v.messages) }}</b><span>messages/s</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><line x1="0" y1="4" x2="100" y2="4"/><line class="moving" x1="0" y1="4" x2="100" y2="4"/></svg></div>
    <section class="tier">
      <h3>Fog nodes <span class="count">{{ v.nodes_total }}</span></h3>
      <div v-for="node in v.nodes" :key="node.name" class="machine" :class="'at-' + node.level">
        <div class="machine-head"><glyph :kind="node.level" /><a class="clip" :href="node.link" :title="node.name">{{ node.name }}</a><span class="machine-rate">{{ rate(node.rate) }}/s</span></div>
        <div v-if="!node.alive" class="machine-word">away since {{ clock(node.seen) }}</div>
        <div class="meter" :title="'journal: ' + bytes(node.journal) + ' of ' + bytes(node.limit)"><i :style="{width: Math.max(node.full * 100, node.journal ? 1 : 0) + '%'}" :class="{full: node.full >= 0.8}"></i></div>
        <div class="machine-foot"><span>{{ bytes(node.journal) }} journal</span><span>{{ number(node.pending) }} pending</span><span v-if="node.behind !== null">{{ span(node.behind) }} behind</span></div>
      </div>
      <div v-if="!v.nodes.length" class="machine empty">No node has reported yet.</div>
      <a v-if="v.nodes_total > v.nodes.length" class="more" href="/nodes">all {{ v.nodes_total }} nodes</a>
    </section>
    <div class="link" :class="{still: !v.parts_in}"><b>{{ rate(v.parts_in) }}</b><span>parts/s</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><line x1="0" y1="4" x2="100" y2="4"/><line class="moving" x1="0" y1="4" x2="100" y2="4"/></svg></div>
    <section class="tier">
      <h3>Aggregators <span class="count">{{ v.aggregators_total }}</span></h3>
      <div v-for="each in v.aggregators" :key="each.name" class="machine" :class="'at-' + each.level">
        <div class="machine-head"><glyph :kind="each.level" /><b class="clip" :title="each.name">{{ each.name }}</b></div>
        <div v-if="!each.alive" class="machine-word">away since {{ clock(each.seen) }}</div>
        <div class="machine-foot"><span>{{ each.children }} below</span><span>{{ bytes(each.held) }} held</span></div>
        <div class="machine-foot"><span>{{ rate(each.in) }} in/s</span><span>{{ rate(each.out) }} out/s</span></div>
      </div>
      <div v-if="!v.aggregators.length" class="machine empty">None: the nodes talk to the cloud.</div>
    </section>
    <div class="link" :class="{still: !v.parts_out}"><b>{{ rate(v.parts_out) }}</b><span>parts/s</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><line x1="0" y1="4" x2="100" y2="4"/><line class="moving" x1="0" y1="4" x2="100" y2="4"/></svg></div>
    <section class="tier">
      <h3>Cloud</h3>
      <div class="machine" :class="'at-' + v.cloud.level">
        <div class="machine-head"><glyph :kind="v.cloud.level" /><b class="clip">{{ v.cloud.store || "store" }}</b></div>
        <div class="machine-foot"><span>{{ number(v.cloud.readings) }} readings</span></div>
        <div class="machine-foot"><span>{{ rate(v.cloud.rate) }} readings/s</span></div>
        <div class="machine-foot"><span>generation {{ v.cloud.generation }}</span></div>
      </div>
    </section>
  </div>`,
});
