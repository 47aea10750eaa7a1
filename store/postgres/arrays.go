package postgres

import (
	"encoding/binary"

	"hearth/whisk"
)

// The types of array elements, by PostgreSQL's numbers.
const (
	typeBool  = 16
	typeBytea = 17
	typeInt8  = 20
	typeInt4  = 23
	typeText  = 25
	typeUUID  = 2950
)

// array is an array in PostgreSQL's binary form: a statement takes one for each
// column of the rows that it works on. Built this way it costs no more than the
// copy of its bytes.
//
//	dimensions, flags, type, length, lower bound, (length, element)...
type array struct {
	b []byte
	n int
}

const (
	arrayHeader = 20
	emptyHeader = 12
)

// begin makes it an empty array of the type.
func (a *array) begin(element uint32) {
	a.b, a.n = a.b[:0], 0
	for _, v := range [...]uint32{0, 1, element, 0, 1} { // flags: there may be NULLs
		a.b = binary.BigEndian.AppendUint32(a.b, v)
	}
}

// bytes returns the array. They hold until the next begin.
func (a *array) bytes() []byte {
	if a.n == 0 {
		return a.b[:emptyHeader]
	}
	binary.BigEndian.PutUint32(a.b[0:], 1)
	binary.BigEndian.PutUint32(a.b[12:], uint32(a.n))
	return a.b
}

func (a *array) length(n int) {
	a.n++
	a.b = binary.BigEndian.AppendUint32(a.b, uint32(n))
}

func (a *array) id(v whisk.ActivationID) {
	a.length(len(v))
	a.b = append(a.b, v[:]...)
}

func (a *array) int4(v int32) {
	a.length(4)
	a.b = binary.BigEndian.AppendUint32(a.b, uint32(v))
}

func (a *array) int8(v int64) {
	a.length(8)
	a.b = binary.BigEndian.AppendUint64(a.b, uint64(v))
}

func (a *array) bool(v bool) {
	a.length(1)
	if v {
		a.b = append(a.b, 1)
	} else {
		a.b = append(a.b, 0)
	}
}

func (a *array) text(v string) {
	a.length(len(v))
	a.b = append(a.b, v...)
}

// blob adds bytes, or NULL if there are none.
func (a *array) blob(v []byte) {
	if len(v) == 0 {
		a.length(-1)
		return
	}
	a.length(len(v))
	a.b = append(a.b, v...)
}

// readIDs calls f with each element of an array of ids in the binary form.
func readIDs(b []byte, f func(whisk.ActivationID)) {
	for b = b[min(arrayHeader, len(b)):]; len(b) >= 20; b = b[20:] {
		f(whisk.ActivationID(b[4:20]))
	}
}
