import { part } from "fogline";

// Everything around a page's content, which stands in the slot. The script of the head (static/head.js) has applied
// the theme before; here it is chosen.
export default part({
  props: { chrome: String },
  data() {
    return { open: false, theme: window.foglineTheme.choice() };
  },
  computed: {
    c() {
      return JSON.parse(this.chrome);
    },
  },
  mounted() {
    // A dashboard that was started again knows nobody, and refuses this page's connection: then the way leads to sign in.
    this.watch = setInterval(async () => {
      if (window.socket?.connected !== false) return;
      const known = await fetch("/sign-in/session", { credentials: "same-origin" }).catch(() => null);
      if (known?.status === 401) window.location.replace("/sign-in?" + new URLSearchParams({ next: window.location.pathname }));
    }, 2000);
  },
  unmounted() {
    clearInterval(this.watch);
  },
  methods: {
    choose(theme) {
      this.theme = theme;
      window.foglineTheme.choose(theme);
    },
    step(by) {
      const themes = ["auto", "light", "dark"];
      this.choose(themes[(themes.indexOf(this.theme) + by + 3) % 3]);
      this.$nextTick(() => this.$el.querySelector('.theme [aria-checked="true"]').focus());
    },
    async leave() {
      await fetch("/sign-out", { method: "POST", headers: { "Content-Type": "application/json" }, credentials: "same-origin" });
      window.location.replace("/sign-in");
    },
    toggle() {
      this.open = !this.open;
      if (this.open) this.$nextTick(() => this.$el.querySelector("nav a").focus());
    },
    shut() {
      if (!this.open) return;
      this.open = false;
      this.$nextTick(() => this.$refs.menu.focus());
    },
  },
  template: `<div class="frame" :class="{'menu-open': open}" @keydown.esc="shut">
    <a class="skip" href="#content">Skip to content</a>
    <header class="bar">
      <button ref="menu" type="button" class="icon-button menu-button" aria-controls="pages" :aria-expanded="String(open)" @click="toggle">
        <span class="ico ico-menu" aria-hidden="true"></span><span class="unseen">Pages</span></button>
      <a class="brand" href="/"><span class="brand-mark" aria-hidden="true"></span><span class="brand-name clip">{{ c.installation }}</span></a>
      <span class="grow"></span>
      <span class="health" :class="'is-' + v.level" role="status"><glyph :kind="v.level" /><span>{{ v.words }}</span></span>
      <div class="theme" role="radiogroup" aria-label="Theme" @keydown.right.prevent="step(1)" @keydown.left.prevent="step(-1)">
        <button v-for="each in ['auto', 'light', 'dark']" :key="each" type="button" role="radio" class="icon-button" :aria-checked="String(theme === each)"
          :tabindex="theme === each ? 0 : -1" :title="'Theme: ' + each" @click="choose(each)"><span class="ico" :class="'ico-' + each" aria-hidden="true"></span><span class="unseen">{{ each }}</span></button>
      </div>
    </header>
    <div class="shade" @click="shut"></div>
    <nav id="pages" class="side" aria-label="Pages">
      <a v-for="door in c.doors" :key="door.path" class="door" :href="door.path" :aria-current="door.path === c.here ? 'page' : null">
        <span class="ico" :class="'ico-' + door.icon" aria-hidden="true"></span><span>{{ door.name }}</span></a>
      <div class="side-foot"><div v-if="c.who" class="who"><span class="clip" :title="c.who">{{ c.who }}</span><button type="button" @click="leave">Sign out</button></div><div>Fogline {{ v.version || "–" }}</div><div class="clip" :title="c.server">cloud {{ c.server }}</div></div>
    </nav>
    <main id="content" class="page" tabindex="-1">
      <div class="banner-place" role="alert"><div v-if="v.lost" class="banner"><glyph kind="bad" />
        <div><b>The cloud has not answered since {{ clock(v.lost.since) }}.</b><template v-if="v.seen"> What you see is of {{ clock(v.seen) }}.</template>
          It is asked again every second, and this page goes on by itself.
          <div class="banner-why">{{ v.lost.why }}<template v-if="v.lost.hint">: {{ v.lost.hint }}</template></div></div></div></div>
      <div class="title"><div v-if="c.above" class="above"><a :href="c.above.path">{{ c.above.name }}</a></div><h1 class="clip-2">{{ c.title }}</h1></div>
      <slot></slot>
    </main>
  </div>`,
});
