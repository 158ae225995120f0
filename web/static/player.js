// The player of one call: click, drag or keys to seek; the moment stays in the address (#t=42), so that it can be sent.

import { spoken } from "./clock.js";

const STEPS = { ArrowLeft: -5, ArrowRight: 5, ArrowDown: -5, ArrowUp: 5, PageDown: -30, PageUp: 30 };

export class Player {
  constructor(root) {
    const find = (id) => root.querySelector(`#${id}`);
    this.root = root;
    this.audio = find("audio");
    this.stage = find("stage");
    this.button = find("toggle");
    this.position = find("position").querySelector("b");
    this.head = this.stage.querySelector(".head-line");
    this.known = Number(root.dataset.seconds);
    this.start = 0; // where to begin before anything is loaded

    this.audio.controls = false;
    for (const hidden of root.querySelectorAll(".controls [hidden]")) hidden.hidden = false;
    const wave = this.stage.querySelector(".wave");
    this.played = wave.cloneNode(true);
    this.played.classList.add("played");
    wave.after(this.played);
    this.head.hidden = false;

    this.listen(find("speed"));
    this.goToAddress();
  }

  get seconds() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.known;
  }

  get time() {
    return this.audio.readyState ? this.audio.currentTime : this.start;
  }

  listen(speed) {
    const audio = this.audio;
    this.button.addEventListener("click", () => this.toggle());
    speed.addEventListener("change", () => {
      audio.playbackRate = audio.defaultPlaybackRate = Number(speed.value);
    });
    audio.addEventListener("loadedmetadata", () => {
      audio.currentTime = Math.min(this.start, this.seconds);
    });
    for (const event of ["play", "pause", "ended", "seeked"]) {
      audio.addEventListener(event, () => {
        this.show();
        if (event !== "play") this.keepMoment();
        if (event === "pause") this.root.dispatchEvent(new Event("heard", { bubbles: true }));
      });
    }
    audio.addEventListener("error", () => this.fault());
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
    this.stage.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.closest("button, a, select, summary, input")) return;
      event.preventDefault();
      this.toggle();
    });
    addEventListener("hashchange", () => this.goToAddress());
    const frame = () => {
      if (!audio.paused) this.show();
      requestAnimationFrame(frame);
    };
    frame();
  }

  toggle() {
    if (this.audio.paused) this.audio.play().catch(() => this.show());
    else this.audio.pause();
  }

  seek(seconds) {
    const to = Math.min(this.seconds, Math.max(0, seconds));
    if (this.audio.readyState) this.audio.currentTime = to;
    else {
      this.start = to;
      this.keepMoment();
    }
    this.show();
  }

  drag(event) {
    if (event.button !== 0) return;
    const to = (moved) => {
      const box = this.stage.getBoundingClientRect();
      this.seek(((moved.clientX - box.left) / box.width) * this.seconds);
    };
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", to);
    const release = () => this.stage.removeEventListener("pointermove", to);
    this.stage.addEventListener("pointerup", release, { once: true });
    this.stage.addEventListener("pointercancel", release, { once: true });
    to(event);
  }

  key(event) {
    const step = STEPS[event.key];
    const target = event.key === "Home" ? 0 : event.key === "End" ? this.seconds : step && this.time + step;
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.seek(target);
  }

  goToAddress() {
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
    const at = `${this.seconds ? (100 * this.time) / this.seconds : 0}%`;
    this.played.style.setProperty("--at", at);
    this.head.style.setProperty("--at", at);
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
