# What the stimulator freezes. A new file in one of these packages is picked up by itself.
include("../manifest_common.py")
package("stimfw/stimulator", base_path="$(FIRMWARE_DIR)", opt=1)
module("main.py", base_path="$(FIRMWARE_DIR)/roots/stimulator", opt=1)
