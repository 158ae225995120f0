// Plays a recording inside its row; one at a time.

export class RowPlayer {
  constructor() {
    this.audio = new Audio();
    this.audio.preload = "none";
    this.key = null;
    for (const event of ["play", "pause", "ended"]) this.audio.addEventListener(event, () => this.show());
    this.audio.addEventListener("timeupdate", () => this.progress());
    this.audio.addEventListener("error", () => this.fault());
    const frame = () => {
      if (!this.audio.paused) this.progress();
      requestAnimationFrame(frame);
    };
    frame();
  }

  get row() {
    return this.key && document.querySelector(`li.call[data-key="${this.key}"]`);
  }

  toggle(row) {
    if (row.dataset.key !== this.key) {
      this.audio.pause();
      this.leave();
      this.key = row.dataset.key;
      this.audio.src = row.querySelector(".play").getAttribute("href");
    }
    if (this.audio.paused) this.audio.play().catch(() => this.show());
    else this.audio.pause();
  }

  seek(wave, x) {
    const box = wave.getBoundingClientRect();
    if (this.audio.duration) this.audio.currentTime = ((x - box.left) / box.width) * this.audio.duration;
  }

  // The page put a fresh row in the place of the one that plays.
  adopt(row) {
    if (row.dataset.key === this.key) this.show();
  }

  leave() {
    const row = this.row;
    if (!row) return;
    row.classList.remove("is-playing");
    row.querySelector(".wave.played")?.remove();
    this.label(row, false);
  }

  show() {
    const row = this.row;
    if (!row) return;
    const playing = !this.audio.paused && !this.audio.ended;
    if (playing) {
      row.classList.add("is-playing");
      const box = row.querySelector(".wave-box");
      if (!box.querySelector(".played")) {
        const played = box.querySelector(".wave").cloneNode(true);
        played.classList.add("played");
        box.append(played);
      }
    } else if (this.audio.ended) this.leave();
    else row.classList.remove("is-playing");
    this.label(row, playing);
    this.progress();
  }

  label(row, playing) {
    const button = row.querySelector(".play");
    button?.setAttribute("aria-label", playing ? button.dataset.labelPause : button.dataset.labelPlay);
  }

  progress() {
    const played = this.row?.querySelector(".wave.played");
    if (played && this.audio.duration) {
      played.style.setProperty("--at", `${(100 * this.audio.currentTime) / this.audio.duration}%`);
    }
  }

  fault() {
    const row = this.row;
    if (!row || !this.audio.getAttribute("src")) return;
    this.leave();
    this.key = null;
    const words = document.createElement("span");
    words.className = "is-missed result";
    words.setAttribute("role", "alert");
    words.textContent = row.querySelector(".play").dataset.fault;
    row.querySelector(".sound").replaceChildren(words);
  }
}
