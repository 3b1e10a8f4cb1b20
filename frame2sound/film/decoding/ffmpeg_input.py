"""Opening a film's file: FFmpeg gets an open file and may open no other."""

from __future__ import annotations

import os
import stat
from fractions import Fraction
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from frame2sound.errors import FilmError

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
"""FFmpeg's readers of films, sounds and single pictures.

Playlists, manifests and patterns (concat, hls, dash, sdp, imf, image2), whose content names other
files or servers, are not among them; nor are devices, and readers that would take any text.
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
    """Return a descriptor of a regular file that is not empty, open for reading.

    Raises
    ------
    FilmError
        There is no such file, it cannot be opened, or it is no file with something in it.
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
    max_pixels: int | None = None,
    *,
    fps: Fraction | None = None,
) -> InputContainer:
    """Open a film for demuxing, and for decoding on a device where that can.

    The film's content is read through a descriptor; it can make FFmpeg open no other file and call
    no server.

    Parameters
    ----------
    path : Path
    hardware : HWAccel, optional
    most_pixels : int, optional
        The size of a picture from which on decoders refuse it.
    framerate : Fraction, optional
        Frames a second of a single picture, which has none.

    Raises
    ------
    FilmError
        There is no such file, it is a folder or empty, or FFmpeg finds no film in it; or the device
        does not open.
    """
    file = open_regular_file(path)
    bound = {} if max_pixels is None else {"max_pixels": str(max_pixels)}
    rate = {} if fps is None else {"framerate": str(fps)}
    try:
        container = av.open(
            "fd:",
            options=_OPTIONS | bound | rate | {"fd": str(file)},
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
    if bound:
        for stream in container.streams:
            if stream.codec_context is not None:
                stream.codec_context.options = bound
    return container


def _playlist_kind(file: int) -> str | None:
    """Return what kind of playlist a file is, if it is one."""
    head = os.pread(file, 4096, 0).lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, kind in _PLAYLISTS.items():
        if head.startswith(mark) or (mark.startswith(b"<") and mark in head):
            return kind
    return None


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
