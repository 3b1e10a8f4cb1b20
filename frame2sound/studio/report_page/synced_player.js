// Plays a video and several soundtracks in sync; one soundtrack is audible, the others are muted.

const MAX_AUDIO_OFFSET = 0.04; // seconds by which a muted soundtrack may be out of sync
const MAX_NUDGED_OFFSET = 0.3; // seconds by which it may be, before it is sought
const MAX_VIDEO_OFFSET = 0.12; // seconds by which the video may be, before it is sought

export class SyncedPlayer {
  // tracks: a Map from keys to { src, volume }. onChange is called after every change of state.
  constructor(video, tracks, { loop = false, onChange = () => {} } = {}) {
    this.video = video;
    this.tracks = tracks;
    this.loop = loop;
    this.onChange = onChange;
    this.sounds = new Map();
    this.chosen = tracks.keys().next().value;
    this.playing = false;
    this.position = 0;
    video.muted = true;
    video.playsInline = true;
  }

  get length() {
    return this.video.duration || 0;
  }

  get audibleSound() {
    return this.sounds.get(this.chosen);
  }

  // Browsers limit the number of open sounds, so a player that is stopped has none.
  load() {
    for (const [key, track] of this.tracks) {
      if (this.sounds.has(key)) continue;
      const sound = new Audio(track.src);
      sound.preload = "auto";
      sound.preservesPitch = false;
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
    if (SyncedPlayer.current && SyncedPlayer.current !== this) SyncedPlayer.current.unload();
    SyncedPlayer.current = this;
    this.load();
    if (this.playing) return;
    if (this.length && this.position > this.length - 0.15) this.position = 0;
    this.playing = true;
    this.align(this.position);
    const starts = [this.video, ...this.sounds.values()].map((each) => each.play());
    await Promise.allSettled(starts);
    this.onChange();
    this.keepInSync();
  }

  pause() {
    this.position = this.currentTime();
    this.playing = false;
    this.video.pause();
    for (const sound of this.sounds.values()) sound.pause();
    this.onChange();
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  end() {
    const repeat = this.loop && this.playing;
    this.pause();
    this.seek(0);
    if (repeat) this.play();
  }

  currentTime() {
    return this.playing && this.audibleSound ? this.audibleSound.currentTime : this.position;
  }

  seek(seconds) {
    this.position = Math.max(0, Math.min(seconds, this.length || seconds));
    this.align(this.position);
    this.onChange();
  }

  align(seconds) {
    this.video.currentTime = seconds;
    for (const sound of this.sounds.values()) sound.currentTime = seconds;
  }

  choose(key) {
    if (!this.tracks.has(key)) return;
    const before = this.audibleSound, now = this.currentTime();
    this.chosen = key;
    const after = this.audibleSound;
    if (after && after !== before) {
      after.playbackRate = 1;
      if (Math.abs(after.currentTime - now) > MAX_AUDIO_OFFSET) after.currentTime = now;
      after.muted = false;
      if (before) before.muted = true;
    }
    this.onChange();
  }

  // A muted sound that is a little early or late is slowed or sped up: to seek would take long, and
  // it might be chosen meanwhile.
  approach(sound, now) {
    const ahead = sound.currentTime - now, isFar = Math.abs(ahead) > MAX_NUDGED_OFFSET;
    if (isFar) sound.currentTime = now;
    sound.playbackRate = isFar || Math.abs(ahead) < 0.005 ? 1 : 1 - Math.max(-0.15, Math.min(2 * ahead, 0.15));
  }

  keepInSync() {
    if (!this.playing) return;
    const now = this.currentTime();
    const ahead = this.video.currentTime - now;
    this.video.playbackRate = 1 - Math.max(-0.15, Math.min(2 * ahead, 0.15));
    if (Math.abs(ahead) > MAX_VIDEO_OFFSET && !this.video.seeking && now < this.length - 0.15)
      this.video.currentTime = now;
    for (const [key, sound] of this.sounds)
      if (key !== this.chosen && !sound.seeking) this.approach(sound, now);
    this.onChange();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepInSync(), 60);
  }
}
