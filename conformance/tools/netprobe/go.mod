module fairlead.dev/conformance/netprobe

go 1.22
