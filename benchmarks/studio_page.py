"""Measure the studio's page in a browser: time to the first sound, waveforms, A/B, requests.

    python benchmarks/studio_page.py [--play SECONDS]

``--play`` also plays the long take for so long, and lists the connections of the browser and the
studio meanwhile. Needs Debian's Chromium, Linux, and the extras ``studio`` and ``dev``.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

import frame2sound as f2s

CHROMIUM = shutil.which("chromium")
CHOICES = 20

DRAWN_MS = """async ([module, name]) => {
  const { Waveform } = await import(module);
  const wave = new Waveform({ onSeek() {}, onEdit() {}, onLoad() {} });
  document.body.append(wave.element);
  const times = [];
  for (let round = 0; round < 5; round++) {
    wave.peaks = null;
    await new Promise(requestAnimationFrame);
    const begin = performance.now();
    await wave.show(name, 0, []);
    times.push(performance.now() - begin);
  }
  wave.element.remove();
  return times.sort((a, b) => a - b)[2];
}"""

SWITCHED_MS = """async ([module, picture, names, count]) => {
  const { SyncedPlayer } = await import(module);
  const video = document.createElement("video");
  document.body.append(video);
  video.src = picture;
  const player = new SyncedPlayer(video, new Map(names.map((name) => [name, { src: name }])));
  await player.play();
  await new Promise((done) => setTimeout(done, 1500));
  const waits = [], offsets = [];
  for (let round = 0; round < count; round++) {
    const name = names[(round + 1) % names.length], before = player.currentTime();
    const begin = performance.now();
    player.choose(name);
    const sound = player.audibleSound;
    while (sound.seeking || sound.paused || sound.readyState < 3)
      await new Promise((done) => setTimeout(done, 1));
    const wait = performance.now() - begin;
    waits.push(wait);
    offsets.push(Math.abs(1000 * (sound.currentTime - before) - wait));
    await new Promise((done) => setTimeout(done, 250));
  }
  player.unload();
  video.remove();
  const middle = (list) => list.sort((a, b) => a - b)[count >> 1];
  return [middle(waits), Math.max(...waits), middle(offsets), Math.max(...offsets)];
}"""


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--play", type=float, default=0, metavar="SECONDS")
    play_seconds = parser.parse_args().play
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        f2s.draw_film("machine", folder / "short.mp4", seconds=20, silent=True)
        f2s.draw_film("typing", folder / "long.mp4", seconds=600, size=(64, 64))
        words = [sys.executable, "-m", "frame2sound", "studio", "project", "--no-browser"]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as studio:
            try:
                measure(folder, address_of(studio), play_seconds)
            finally:
                studio.terminate()


def address_of(studio: subprocess.Popen[str]) -> str:
    """Return the address that the studio prints."""
    assert studio.stdout is not None
    for line in studio.stdout:
        if line.startswith("http"):
            return line.strip()
    raise SystemExit("the studio printed no address")


def measure(folder: Path, address: str, play_seconds: float) -> None:
    """Drive the page and print what was measured."""
    far: list[str] = []
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = browser.new_context(bypass_csp=True)
        page = context.new_page()
        page.on("request", lambda request: far.append(request.url) if is_far(request) else None)
        page.goto(address)
        page.wait_for_url("**:*/")
        page.locator("#animations-input").set_input_files(folder / "short.mp4")
        page.get_by_text("1 file added").wait_for()
        for take in (1, 2):
            begin = time.perf_counter()
            page.locator("#render-first").click()
            page.locator(f"[data-take='{take}']:not(:disabled)").wait_for()
            heard = time.perf_counter() - begin
            job = page.request.get(f"{page.url}api/state").json()["jobs"][-1]
            command = job["ended"] - job["started"]
            print(f"10 s of film: {heard:.2f} s to hear, of which the command {command:.2f} s")
        measure_long_take(page, folder)
        if play_seconds:
            play_long_take(page, play_seconds)
        picture = "/media/animations/short.mp4"
        names = [f"/media/takes/short-00{take}.wav" for take in (1, 2)]
        waits = page.evaluate(SWITCHED_MS, ["/page/synced_player.js", picture, names, CHOICES])
        told = "{:.1f} ms, at most {:.1f}; {:.0f} ms off the playhead, at most {:.0f}"
        print(f"A/B, median of {CHOICES}:", told.format(*waits))
        print(f"requests to other hosts: {len(far)}")
        browser.close()


def measure_long_take(page: Any, folder: Path) -> None:
    """Render ten minutes; print when the take and its waveform are there after the command."""
    page.locator("#animations-input").set_input_files(folder / "long.mp4")
    page.locator("#animations-input + label").wait_for()
    page.get_by_label("Animation", exact=True).select_option("animations/long.mp4")
    page.locator("#render-whole").click()
    page.locator("[data-take='3']:not(:disabled)").wait_for(timeout=600_000)
    job = page.request.get(f"{page.url}api/state").json()["jobs"][-1]
    print(f"10 min of film: the command {job['ended'] - job['started']:.1f} s")
    begin = time.perf_counter()
    page.request.get(f"{page.url}api/peaks?name={job['outputs'][0]}&pieces=1000")
    print(f"10 min of waveform: {time.perf_counter() - begin:.2f} s after the take is announced")
    drawn = page.evaluate(DRAWN_MS, ["/page/waveform.js", job["outputs"][0]])
    print(f"10 min of waveform: {drawn:.0f} ms to fetch and draw")


def play_long_take(page: Any, seconds: float) -> None:
    """Play the ten minutes; print how far they came, and where sockets of any process led."""
    page.locator("[data-take='3']").click()
    page.get_by_role("button", name="Play", exact=True).click()
    peers, end = set[str](), time.perf_counter() + seconds
    while time.perf_counter() < end:
        peers |= set(remote_addresses())
        page.wait_for_timeout(100)
    played = page.evaluate("() => document.querySelector('video').currentTime")
    print(f"{seconds:.0f} s of playing: {played:.1f} s played, connections to: {sorted(peers)}")


def remote_addresses() -> Iterator[str]:
    """Yield the other ends of this computer's TCP and UDP sockets, but for its own addresses."""
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path("/proc/net", protocol).read_text().splitlines()[1:]:
            address = line.split()[2].partition(":")[0]
            words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
            peer = ipaddress.ip_address(b"".join(words))
            peer = getattr(peer, "ipv4_mapped", None) or peer
            if not (peer.is_loopback or peer.is_unspecified):
                yield str(peer)


def is_far(request: Any) -> bool:
    """Return whether a request leaves this computer."""
    return not re.match(r"http://127\.0\.0\.1:|blob:|data:", request.url)


if __name__ == "__main__":
    main()
