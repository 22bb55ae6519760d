"""The project's version, as rangemap.h has it: //packaging/test:install_test compares them."""

RANGEMAP_VERSION = "0.1.0"

# Libraries of one ABI have one SONAME: docs/abi.md. Before 1.0 each minor version is an ABI of its own.
RANGEMAP_ABI = "0.1"
