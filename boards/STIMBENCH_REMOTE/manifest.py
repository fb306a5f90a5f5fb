# What the remote freezes. A new file in one of these packages is picked up by itself.
include("../manifest_common.py")
package("stimfw/remote", base_path="$(FIRMWARE_DIR)", opt=1)
module("main.py", base_path="$(FIRMWARE_DIR)/roots/remote", opt=1)
