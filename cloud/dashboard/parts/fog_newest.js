import { part } from "fogline";

export default part({
  template: `<div class="newest">
    <a v-for="each in v.steps" :key="each.pipeline + ' ' + each.step" class="card step" :href="each.link">
      <div class="step-head"><b class="clip">{{ each.pipeline }}</b><span class="quiet clip">{{ each.step }}</span>
        <span v-if="each.newest" class="badge" :class="'is-' + each.newest.status"><glyph :kind="each.newest.status" />{{ each.newest.status }}</span></div>
      <strip :windows="each.windows" />
      <div class="step-foot"><template v-if="each.newest"><span>{{ clock(each.newest.start) }}</span><span>{{ number(each.newest.readings) }} readings</span><span>{{ number(each.newest.keys) }} keys</span></template><span v-else>no window yet</span></div>
    </a>
    <div v-if="!v.steps.length" class="card empty">No pipeline yet. Deploy one with <code>fogline deploy FILE</code>: its windows appear here.</div>
  </div>`,
});
