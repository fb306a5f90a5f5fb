"""Runs before main: mounts littlefs on the first blocks of the flash; the rest is stimfw.storage's.

In place of the port's own _boot, which would give littlefs all of it. A board that was formatted so is
formatted anew, and what littlefs has left in the other blocks is erased: a record log that is damaged is an
error, for ever.
"""


def _mount() -> None:
    """Its imports are local: this file runs in the name space of main."""
    import sys

    # What starts is what is frozen: no file can stand in for it, and the file system is not searched for each
    # import, which takes 50 ms in all. main restores the path.
    sys.path[:] = [".frozen"]

    import rp2
    import vfs
    from stimfw.storage import blocks, layout

    program_bytes = 256  # littlefs: the smallest piece that it programs

    def opened(device: rp2.Flash, count: int) -> "vfs.VfsLfs2 | None":
        """The file system of exactly `count` blocks on `device`; None if there is none."""
        try:
            found = vfs.VfsLfs2(device, progsize=program_bytes)
            return found if found.statvfs("/")[2] == count else None
        except OSError:
            return None

    device = rp2.Flash(start=0, len=layout.FILESYSTEM_BLOCKS * blocks.BLOCK_BYTES)  # type: ignore[call-arg]
    files = opened(device, layout.FILESYSTEM_BLOCKS)
    if files is None:
        whole = rp2.Flash()
        if opened(whole, layout.BLOCKS) is not None:
            for block in range(layout.FILESYSTEM_BLOCKS, layout.END):
                blocks.make_blank(whole, block)
        vfs.VfsLfs2.mkfs(device, progsize=program_bytes)
        files = vfs.VfsLfs2(device, progsize=program_bytes)
    vfs.mount(files, "/")


_mount()
del _mount
