"""What must outlive a reset or a power cut, on flash: records, epochs, pairings. Pure: any block device."""
