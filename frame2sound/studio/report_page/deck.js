// A deck plays one picture and several soundtracks at the same moment; one of them is audible.

const APART = 0.04; // seconds by which a soundtrack that is not heard may be off
const PICTURE_APART = 0.12; // and the picture, which hastens or waits before it must jump

class Deck {
  // tracks: a Map of keys to { src, volume }. watch is told whenever something has changed.
  constructor(video, tracks, { loop = false, watch = () => {} } = {}) {
    this.video = video;
    this.tracks = tracks;
    this.loop = loop;
    this.watch = watch;
    this.sounds = new Map();
    this.chosen = tracks.keys().next().value;
    this.playing = false;
    this.at = 0;
    video.muted = true;
    video.playsInline = true;
  }

  get length() {
    return this.video.duration || 0;
  }

  get master() {
    return this.sounds.get(this.chosen);
  }

  // Browsers bear only so many open sounds, so a deck that does not play has none.
  load() {
    for (const [key, track] of this.tracks) {
      if (this.sounds.has(key)) continue;
      const sound = new Audio(track.src);
      sound.preload = "auto";
      sound.muted = key !== this.chosen;
      sound.volume = track.volume ?? 1;
      sound.addEventListener("ended", () => key === this.chosen && this.end());
      this.sounds.set(key, sound);
    }
  }

  unload() {
    this.pause();
    for (const sound of this.sounds.values()) {
      sound.removeAttribute("src");
      sound.load();
    }
    this.sounds.clear();
  }

  async play() {
    if (Deck.current && Deck.current !== this) Deck.current.unload();
    Deck.current = this;
    this.load();
    if (this.playing) return;
    if (this.length && this.at > this.length - 0.15) this.at = 0;
    this.playing = true;
    this.align(this.at);
    const begun = [this.video, ...this.sounds.values()].map((each) => each.play());
    await Promise.allSettled(begun);
    this.watch();
    this.follow();
  }

  pause() {
    this.at = this.now();
    this.playing = false;
    this.video.pause();
    for (const sound of this.sounds.values()) sound.pause();
    this.watch();
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  end() {
    const again = this.loop && this.playing;
    this.pause();
    this.seek(0);
    if (again) this.play();
  }

  now() {
    return this.playing && this.master ? this.master.currentTime : this.at;
  }

  seek(seconds) {
    this.at = Math.max(0, Math.min(seconds, this.length || seconds));
    this.align(this.at);
    this.watch();
  }

  align(seconds) {
    this.video.currentTime = seconds;
    for (const sound of this.sounds.values()) sound.currentTime = seconds;
  }

  choose(key) {
    if (!this.tracks.has(key)) return;
    const before = this.master, now = this.now();
    this.chosen = key;
    const after = this.master;
    if (after && after !== before) {
      if (Math.abs(after.currentTime - now) > APART) after.currentTime = now;
      after.muted = false;
      if (before) before.muted = true;
    }
    this.watch();
  }

  follow() {
    if (!this.playing) return;
    const now = this.now();
    const early = this.video.currentTime - now;
    this.video.playbackRate = 1 - Math.max(-0.15, Math.min(2 * early, 0.15));
    if (Math.abs(early) > PICTURE_APART && !this.video.seeking && now < this.length - 0.15)
      this.video.currentTime = now;
    for (const [key, sound] of this.sounds)
      if (key !== this.chosen && !sound.seeking && Math.abs(sound.currentTime - now) > APART)
        sound.currentTime = now;
    this.watch();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.follow(), 60);
  }
}

function media(stretch, player, ending = "m4a") {
  return `media/${encodeURIComponent(stretch)}/${encodeURIComponent(player)}.${ending}`;
}

function film(stretch) {
  return el("video", { src: media(stretch.name, "picture", "mp4"), preload: "auto",
    muted: true, playsinline: true });
}
