// The player of one call: both sides drawn by wavesurfer, played by the browser. Click, drag or keys to seek; the moment
// stays in the address (#t=42), so that it can be sent. Without this file the browser's own controls stand there.

import WaveSurfer from "./wavesurfer.js";

import { spoken } from "./clock.js";
import { isShortcut, letter } from "./keys.js";
import { show as say } from "./notices.js";

const STEPS = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 };
const JUMPS = { j: -10, l: 10 };
// A bar on every three pixels.
const BAR = { barWidth: 2, barGap: 1, barRadius: 1, barMinHeight: 1 };
const LOUDEST = 50; // of the bars as the server sends them
const SHOWN_SPEED = "numberpool speed";
const SKIPS = "numberpool skips silence";

// The stylesheet that wavesurfer puts into its drawing is let in by this page's nonce.
const nonce = document.querySelector("script[nonce]")?.nonce ?? "";

export class Player {
  constructor(root) {
    const find = (id) => root.querySelector(`#${id}`);
    this.root = root;
    this.audio = find("audio");
    this.stage = find("stage");
    this.button = find("toggle");
    this.speed = find("speed");
    this.skip = find("skip");
    this.position = find("position").querySelector("b");
    this.known = Number(root.dataset.seconds);
    this.pauses = root.dataset.pauses ? root.dataset.pauses.split(",").map((pause) => pause.split("-").map(Number)) : [];
    this.muted = new Set();
    this.start = 0; // where to begin before anything is loaded

    this.audio.controls = false;
    for (const hidden of root.querySelectorAll("[hidden]:not(.fault)")) hidden.hidden = false;
    this.draw();
    this.mark();
    this.listen(find("link-here"));
    this.remembered();
    this.goToAddress();
  }

  get seconds() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.known;
  }

  get time() {
    return this.audio.readyState ? this.audio.currentTime : this.start;
  }

  // The drawing: the caller's side above, the business's below, as they stand in the page without script.
  draw() {
    const surface = this.stage.querySelector(".surface");
    const side = (text) => text.split(",").map((height) => Number(height) / LOUDEST);
    const height = Math.floor(this.stage.clientHeight / 2);
    this.wave = WaveSurfer.create({
      container: surface,
      media: this.audio,
      peaks: [side(this.root.dataset.caller), side(this.root.dataset.business)],
      duration: this.known,
      height,
      maxPeak: 1,
      hideScrollbar: true,
      cspNonce: nonce,
      dragToSeek: { debounceTime: 0 },
      ...this.colours(),
      ...BAR,
    });
    this.wave.on("interaction", (time) => this.seek(time));
    this.wave.on("ready", () => this.start && this.wave.setTime(this.start));
    this.stage.querySelector(".wave").remove();
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", () => this.wave.setOptions(this.colours()));
  }

  colours() {
    const style = getComputedStyle(this.root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const faint = "rgb(128 128 128 / .22)";
    const side = (name, barAlign) => ({
      barAlign,
      waveColor: this.muted?.has(name) ? faint : colour(`--wave-${name}`),
      progressColor: this.muted?.has(name) ? faint : colour(`--played-${name}`),
    });
    return { splitChannels: [side("caller", "bottom"), side("business", "top")], cursorColor: colour("--live"), cursorWidth: 2 };
  }

  // Whom the caller was put through to: a line in the drawing for each, where the list below tells of it.
  mark() {
    for (const moment of this.root.querySelectorAll(".moments [data-at]")) {
      const line = document.createElement("span");
      line.className = "moment";
      line.setAttribute("aria-hidden", "true");
      line.style.setProperty("--at", `${(100 * Number(moment.dataset.at)) / this.seconds}%`);
      this.stage.append(line);
    }
  }

  listen(link) {
    const audio = this.audio;
    this.button.addEventListener("click", () => this.toggle());
    this.speed.addEventListener("change", () => this.goAt(this.speed.value));
    this.skip?.addEventListener("click", () => this.skipSilence(this.skip.getAttribute("aria-pressed") !== "true"));
    link.addEventListener("click", () => this.copyLink(link));
    for (const button of this.root.querySelectorAll(".mute")) {
      button.addEventListener("click", () => this.mute(button));
    }
    audio.addEventListener("loadedmetadata", () => {
      if (this.start) audio.currentTime = Math.min(this.start, this.seconds);
      this.start = 0;
    });
    for (const event of ["play", "pause", "ended", "seeked"]) {
      audio.addEventListener(event, () => {
        this.show();
        if (event !== "play") this.keepMoment();
        if (event === "pause") this.root.dispatchEvent(new Event("heard", { bubbles: true }));
      });
    }
    audio.addEventListener("timeupdate", () => this.pass());
    audio.addEventListener("error", () => this.fault());
    this.stage.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => this.keyAnywhere(event));
    addEventListener("hashchange", () => this.goToAddress());
    const frame = () => {
      if (!audio.paused) {
        this.pass();
        this.show();
      }
      requestAnimationFrame(frame);
    };
    frame();
  }

  toggle() {
    if (this.audio.paused) {
      this.sound?.resume();
      this.audio.play().catch(() => this.show());
    } else this.audio.pause();
  }

  seek(seconds) {
    const to = Math.min(this.seconds, Math.max(0, seconds));
    if (this.audio.readyState) this.audio.currentTime = to;
    else {
      this.start = to;
      this.wave.setTime(to);
    }
    // The address says where to at once, also while the sound of that moment is still on its way.
    this.keepMoment();
    this.show();
  }

  goAt(speed) {
    this.speed.value = speed;
    this.audio.playbackRate = this.audio.defaultPlaybackRate = Number(speed);
    localStorage.setItem(SHOWN_SPEED, speed);
  }

  skipSilence(isOn) {
    this.skip.setAttribute("aria-pressed", String(isOn));
    this.skip.classList.toggle("is-chosen", isOn);
    localStorage.setItem(SKIPS, isOn ? "yes" : "");
  }

  // Speed and skipping are a listener's habit: the next call begins with them.
  remembered() {
    const speed = localStorage.getItem(SHOWN_SPEED);
    if (speed && [...this.speed.options].some((option) => option.value === speed)) this.goAt(speed);
    if (this.skip && localStorage.getItem(SKIPS)) this.skipSilence(true);
  }

  // Over a pause, where pauses are skipped; whoever seeks into one hears it.
  pass() {
    if (this.audio.paused || this.skip?.getAttribute("aria-pressed") !== "true") return;
    const at = this.audio.currentTime;
    const pause = this.pauses.find(([from, to]) => at >= from && at < Math.min(from + 0.5, to - 0.2));
    if (pause) this.audio.currentTime = pause[1];
  }

  // Each side goes its own way through Web Audio, which is built when it is first needed: the side that is left alone
  // is heard in both ears.
  mute(button) {
    const side = button.dataset.side;
    if (!this.muted.delete(side)) this.muted.add(side);
    button.setAttribute("aria-pressed", String(this.muted.has(side)));
    this.sound ??= this.wire();
    const caller = !this.muted.has("caller");
    const business = !this.muted.has("business");
    const to = (gain, isHeard) => gain.gain.setValueAtTime(isHeard ? 1 : 0, this.sound.currentTime);
    to(this.gains.callerLeft, caller);
    to(this.gains.callerRight, caller && !business);
    to(this.gains.businessRight, business);
    to(this.gains.businessLeft, business && !caller);
    this.sound.resume();
    this.wave.setOptions(this.colours());
  }

  wire() {
    const sound = new AudioContext();
    const splitter = sound.createChannelSplitter(2);
    const merger = sound.createChannelMerger(2);
    sound.createMediaElementSource(this.audio).connect(splitter);
    const way = (from, to) => {
      const gain = sound.createGain();
      splitter.connect(gain, from);
      gain.connect(merger, 0, to);
      return gain;
    };
    this.gains = { callerLeft: way(0, 0), callerRight: way(0, 1), businessLeft: way(1, 0), businessRight: way(1, 1) };
    merger.connect(sound.destination);
    return sound;
  }

  key(event) {
    const step = STEPS[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? this.seconds : step && this.time + step;
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.seek(target);
  }

  keyAnywhere(event) {
    if (!this.root.isConnected || !isShortcut(event)) return;
    const key = letter(event);
    if (key === " " || key === "k") {
      if (key === " " && event.target.closest("button, a, summary")) return;
      this.toggle();
    } else if (JUMPS[key]) this.seek(this.time + JUMPS[key]);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.seek(this.time + STEPS[event.key]);
    else if (event.key === "<" || event.key === ">") this.faster(event.key === ">" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  faster(step) {
    const next = this.speed.options[this.speed.selectedIndex + step];
    if (next) this.goAt(next.value);
  }

  async copyLink(button) {
    this.writeMoment();
    const here = new URL(location.href);
    here.hash = `t=${Math.floor(this.time)}`;
    try {
      await navigator.clipboard.writeText(here.href);
      say({ text: button.dataset.copied.replace("%(moment)s", spoken(this.time)) });
    } catch {
      say({ text: button.dataset.failed });
    }
  }

  goToAddress() {
    if (!this.root.isConnected) return;
    const moment = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (moment && Math.abs(Number(moment[1]) - this.time) >= 1) this.seek(Number(moment[1]));
    this.show();
  }

  // Once it rests: browsers allow only so many changes of the address in a while.
  keepMoment() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.writeMoment(), 150);
  }

  writeMoment() {
    const moment = Math.floor(this.time);
    const hash = moment > 0 && moment < Math.floor(this.seconds) ? `#t=${moment}` : "";
    if (location.hash !== hash) history.replaceState(history.state, "", hash || location.pathname + location.search);
  }

  show() {
    const playing = !this.audio.paused && !this.audio.ended;
    this.root.classList.toggle("is-playing", playing);
    const label = playing ? this.button.dataset.labelPause : this.button.dataset.labelPlay;
    if (this.button.getAttribute("aria-label") !== label) this.button.setAttribute("aria-label", label);
    const said = spoken(this.time);
    if (this.position.textContent === said) return;
    this.position.textContent = said;
    this.stage.setAttribute("aria-valuenow", String(Math.floor(this.time)));
    this.stage.setAttribute("aria-valuetext", `${said} ${this.root.dataset.of} ${spoken(Math.round(this.seconds))}`);
  }

  fault() {
    const words = this.root.querySelector(".fault");
    words.textContent = this.root.dataset.fault;
    words.hidden = false;
    this.show();
  }
}
