package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// watchEvery is how often the memory of a running sandbox is looked at where
// no control group bounds it.
const watchEvery = 30 * time.Millisecond

// overLimit reports whether the processes use more memory than limit bytes.
// Pages that several of them share are counted exactly only where the quick
// sum is over the limit.
func overLimit(pids []int, limit int64) bool {
	var sum int64
	for _, pid := range pids {
		sum += ownMemory(pid)
	}
	if sum <= limit {
		return false
	}
	if len(pids) == 1 {
		return true
	}
	sum = 0
	for _, pid := range pids {
		sum += shareOfMemory(pid)
	}
	return sum > limit
}

// ownMemory returns the bytes of a process's resident memory that are not
// backed by files.
func ownMemory(pid int) int64 {
	b, _ := os.ReadFile(procFile(pid, "status"))
	return kilobytes(b, "RssAnon:") + kilobytes(b, "RssShmem:")
}

// shareOfMemory is ownMemory with each shared page divided by those who share
// it; it is slow.
func shareOfMemory(pid int) int64 {
	b, err := os.ReadFile(procFile(pid, "smaps_rollup"))
	if err != nil {
		return ownMemory(pid)
	}
	return kilobytes(b, "Pss_Anon:") + kilobytes(b, "Pss_Shmem:")
}

// kilobytes reads "key   n kB" and returns bytes, 0 if the key is not there.
func kilobytes(b []byte, key string) int64 {
	i := bytes.Index(b, []byte(key))
	if i < 0 {
		return 0
	}
	rest, _, _ := strings.Cut(string(b[i+len(key):min(len(b), i+len(key)+40)]), "kB")
	n, _ := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
	return n << 10
}
