# What both boards freeze. Nothing is required from micropython-lib, which the build does without.
# opt=1 drops asserts and keeps line numbers, so a traceback from a board still names its line.
module("rp2.py", base_path="$(PORT_DIR)/modules")
module("_boot.py", base_path="$(FIRMWARE_DIR)/modules", opt=1)
include("$(MPY_DIR)/extmod/asyncio")
module("stimfw/__init__.py", base_path="$(FIRMWARE_DIR)", opt=1)
module("stimfw/version.py", base_path="$(FIRMWARE_DIR)", opt=1)
package("stimfw/logic", base_path="$(FIRMWARE_DIR)", opt=1)
package("stimfw/crypto", base_path="$(FIRMWARE_DIR)", opt=1)
package("stimfw/storage", base_path="$(FIRMWARE_DIR)", opt=1)
package("stimfw/telemetry", base_path="$(FIRMWARE_DIR)", opt=1)
package("stimfw/drivers", base_path="$(FIRMWARE_DIR)", opt=1)
module("stimfw_build.py", base_path="$(GENERATED_DIR)", opt=1)
