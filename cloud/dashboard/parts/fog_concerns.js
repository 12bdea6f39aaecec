import { part } from "fogline";

export default part({
  template: `<ul class="concerns card" v-if="v.length">
    <li v-for="(each, at) in v" :key="at">
      <glyph :kind="each.level" />
      <a v-if="each.link" :href="each.link">{{ each.where }}</a><b v-else>{{ each.where }}</b>
      <span>{{ each.what }}</span>
    </li>
  </ul>`,
});
