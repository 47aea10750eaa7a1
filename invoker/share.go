package invoker

import (
	"bytes"
	"os"
	"strconv"
)

// machineShare returns a function that tells which share of the machine's
// processor time was used since it was last asked, 0 to 1; -1 if that is not
// known. It is not to be called by two at once.
func machineShare() func() float64 {
	var used, all uint64
	return func() float64 {
		text, err := os.ReadFile("/proc/stat")
		if err != nil {
			return -1
		}
		u, a, ok := processorTime(text)
		du, da := u-used, a-all
		first := all == 0
		used, all = u, a
		if !ok || first || da == 0 || da > 1<<40 || du > da {
			return -1
		}
		return float64(du) / float64(da)
	}
}

// processorTime returns the ticks that all processors were used, and those
// that they could have been, from the text of /proc/stat. What a hypervisor
// gave to others counts as used.
func processorTime(text []byte) (used, all uint64, ok bool) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 5 || string(fields[0]) != "cpu" {
		return 0, 0, false
	}
	const idle, iowait, guest = 4, 5, 9
	for i, f := range fields[1:min(len(fields), guest)] { // guests are in user already
		n, err := strconv.ParseUint(string(f), 10, 64)
		if err != nil {
			return 0, 0, false
		}
		all += n
		if i+1 != idle && i+1 != iowait {
			used += n
		}
	}
	return used, all, true
}
