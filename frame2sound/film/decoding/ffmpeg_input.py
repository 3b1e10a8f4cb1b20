"""Open media files safely: FFmpeg gets one open file and may open no other."""

from __future__ import annotations

import os
import stat
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.limits import Limits

Packet: TypeAlias = "av.Packet[Any]"

ALLOWED_DEMUXERS = """
    3dostr 4xm aa aac ac3 ac4 ace aea aiff alias_pix amr anm apac ape apm apng aptx asf asf_o ast
    au av1 avi avr avs avs2 avs3 bethsoftvid bfi bink bmp_pipe bmv c93 caf cavsvideo cdg cdxl cine
    dds_pipe derf dfa dhav dirac dnxhd dpx_pipe dsicin dss dts dtshd dv dxa ea eac3 evc exr_pipe
    film_cpk filmstrip fits flac flic flv frm gdv gem_pipe gif gif_pipe gxf h261 h263 h264 hdr_pipe
    hevc hnm iamf ico idcin iff ifv ingenient ipmovie ipu ivf ivr j2k_pipe jpeg_pipe jpegls_pipe
    jpegxl_anim jpegxl_pipe jv kux live_flv lmlm4 lvf lxf m4v matroska mjpeg mjpeg_2000 mm
    mods moflex mov mp3 mpc mpc8 mpeg mpegts mpegvideo mpjpeg msf mtv mv mvi mxf mxg nsv nut nuv obu
    oga ogg oma paf pam_pipe pbm_pipe pcx_pipe pfm_pipe pgm_pipe pgmyuv_pipe pgx_pipe phm_pipe
    photocd_pipe pictor_pipe pmp png_pipe ppm_pipe psd_pipe psxstr pva qoi_pipe r3d rl2 rm roq rpl
    sdr2 ser sga shn siff smjpeg smk smush sox sunrast_pipe swf tak thp tiertexseq tiff_pipe tmv
    truehd tta ty vbn_pipe vc1 vc1test vividas vivo vmd voc vqf vvc w64 wav wc3movie webm webp_pipe
    wsvqa wtv wv xbm_pipe xmv xpm_pipe xwd_pipe yop yuv4mpegpipe
"""
"""FFmpeg's demuxers of films, sounds and single pictures.

Left out are playlists, manifests and patterns (concat, hls, dash, sdp, imf, image2), whose content
names other files or servers, as well as devices and demuxers that accept any text.
"""

_OPTIONS = {"protocol_whitelist": "fd", "format_whitelist": ",".join(ALLOWED_DEMUXERS.split())}

_PLAYLISTS = {
    b"ffconcat": "ffconcat",
    b"#EXTM3U": "M3U",
    b"<MPD": "DASH",
    b"<CompositionPlaylist": "IMF",
    b"<SmoothStreamingMedia": "Smooth Streaming",
    b"v=0": "SDP",
    b"[playlist]": "PLS",
    b"<playlist": "XSPF",
}


def open_regular_file(path: Path) -> int:
    """Open a regular file for reading; return its descriptor.

    Raises
    ------
    FilmError
        There is no such file, it cannot be opened, it is not a regular file, or it is empty.
    """
    try:
        # Opening a FIFO would wait for a writer.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise FilmError(f"{path}: no such file; expected a film on this machine") from error
    except (OSError, ValueError) as error:
        raise FilmError(f"{path} cannot be opened ({_reason(error)})") from error
    status = os.fstat(file)
    kind = None
    if stat.S_ISDIR(status.st_mode):
        kind = "is a folder; expected a film file"
    elif not stat.S_ISREG(status.st_mode):
        kind = "is not a regular file; expected a film file"
    elif status.st_size == 0:
        kind = "is empty (0 bytes); expected a film"
    if kind is not None:
        os.close(file)
        raise FilmError(f"{path} {kind}")
    return file


def open_film(
    path: Path,
    hwaccel: HWAccel | None = None,
    limits: Limits | None = None,
    *,
    fps: Fraction | None = None,
) -> InputContainer:
    """Open a film for demuxing and decoding.

    FFmpeg reads the file through a descriptor: its content cannot make FFmpeg open another file or
    connect to a server.

    Parameters
    ----------
    path : Path
    hwaccel : HWAccel, optional
        Device that decodes the video if it knows the codec.
    limits : Limits, optional
        Decoders refuse larger pictures.
    fps : Fraction, optional
        Frame rate of a single picture, which has none of its own.

    Raises
    ------
    FilmError
        There is no such file, it is a folder, it is empty, FFmpeg finds no film in it, or the
        device does not open.
    """
    file = open_regular_file(path)
    max_pixels = {} if limits is None else {"max_pixels": str(limits.max_pixels)}
    rate = {} if fps is None else {"framerate": str(fps)}
    try:
        container = av.open(
            "fd:",
            options=_OPTIONS | max_pixels | rate | {"fd": str(file)},
            metadata_errors="ignore",
            hwaccel=hwaccel,
        )
    except (av.FFmpegError, ValueError, MemoryError) as error:
        playlist = _playlist_kind(file)
        if playlist is not None:
            raise FilmError(
                f"{path} is a playlist ({playlist}) that names other files; expected a film: name "
                "the films themselves"
            ) from error
        raise FilmError(
            f"{path} is not readable as a film ({_reason(error)}): not a film, or its index is "
            "missing because the copy broke off; copy it again"
        ) from error
    finally:
        os.close(file)
    if max_pixels:
        for stream in container.streams:
            if stream.codec_context is not None:
                stream.codec_context.options = max_pixels
    return container


def _playlist_kind(file: int) -> str | None:
    """Return the format of a playlist; None if the file is none."""
    head = os.pread(file, 4096, 0).lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, kind in _PLAYLISTS.items():
        if head.startswith(mark) or (mark.startswith(b"<") and mark in head):
            return kind
    return None


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
