"""Runs before main: mounts littlefs on the first blocks of the flash; the rest is stimfw.storage's.

In place of the port's own _boot, which would give littlefs all of it. What is not a file system of that size
is formatted again. If a board was formatted by the port's own, and holds no record of ours, what littlefs has
left in the other blocks is erased. Otherwise these stay: what is sound among them is used, what is not is
named and waits for a repair. Whatever fails here, main starts.
"""


def _mount() -> None:
    """Its imports are local: this file runs in the name space of main."""
    import gc

    # Until main is ready, garbage is collected each 32 KB. The modules that stay then lie close together, and
    # each later object finds its memory at once: without it a sum of two 256-bit numbers took 41 us, not
    # 16 us (the search begins at the lowest hole, py/gc.c). It costs 20 ms of the start.
    gc.threshold(32768)

    # No file can stand in for what is imported here: nothing is mounted yet.
    import rp2
    import vfs
    from stimfw.storage import blocks, layout

    program_bytes = 256  # littlefs: the smallest piece that it programs

    def opened(device: rp2.Flash, count: int) -> "vfs.VfsLfs2 | None":
        """The file system of exactly `count` blocks on `device`; None if there is none."""
        try:
            found = vfs.VfsLfs2(device, progsize=program_bytes)
            return found if found.statvfs("/")[2] == count else None
        except Exception:  # what is on flash may be anything
            return None

    def first(count: int) -> rp2.Flash:
        """So many blocks of the flash."""
        return rp2.Flash(start=0, len=count * blocks.BLOCK_BYTES)  # type: ignore[call-arg]

    def erase_leftovers(whole: rp2.Flash) -> None:
        """Of a file system over the whole flash, or of a former size, from the blocks of the records."""
        from stimfw.storage import areas

        end = layout.FILESYSTEM_BLOCKS
        if opened(whole, layout.BLOCKS) is not None and not areas.holds_something(whole):  # type: ignore[arg-type]
            end = layout.END
        elif opened(first(layout.FORMER_FILESYSTEM_BLOCKS), layout.FORMER_FILESYSTEM_BLOCKS) is not None:
            end = layout.FORMER_FILESYSTEM_BLOCKS
        for block in range(layout.FILESYSTEM_BLOCKS, end):
            blocks.make_blank(whole, block)  # type: ignore[arg-type]

    device = first(layout.FILESYSTEM_BLOCKS)
    files = opened(device, layout.FILESYSTEM_BLOCKS)
    try:
        if files is None:
            erase_leftovers(rp2.Flash())
            vfs.VfsLfs2.mkfs(device, progsize=program_bytes)
            files = vfs.VfsLfs2(device, progsize=program_bytes)
        vfs.mount(files, "/")
    except OSError:
        pass  # a flash that takes nothing: the self-test names the file system


_mount()
del _mount
