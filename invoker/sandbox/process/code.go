package process

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"hearth/invoker/sandbox"
)

// userCode is an action's code in the sandbox's folder.
type userCode struct {
	folder string
	file   string // plain source text; "" for an unpacked archive
}

// codeError is a fault of the user's code, found before it ran; its text is
// the reply's error.
type codeError struct{ text string }

func (e *codeError) Error() string { return e.text }

var (
	errNone   = errors.New("no error")
	errNoCode = &codeError{"Missing main/no code to execute."}
)

// refused is the outcome of an Init whose code did not get as far as running.
func refused(err error, began time.Time) sandbox.Outcome {
	o := sandbox.Outcome{Took: time.Since(began)}
	var ce *codeError
	switch {
	case errors.As(err, &ce):
		o.Body = errorBody(ce.text)
		o.Size = int64(len(o.Body))
	case errors.Is(err, os.ErrDeadlineExceeded):
		o.Ending = sandbox.TimedOut
	default:
		o.Ending, o.Err = sandbox.Exited, err
	}
	return o
}

func errorBody(text string) []byte {
	b, _ := json.Marshal(map[string]string{"error": text}) // strings always encode
	return b
}

// codeFolder is where the code is, below a sandbox's home.
const codeFolder = "action"

// unpack puts the code into the sandbox's folder: source text as one file,
// an archive unpacked.
func (b *box) unpack(in *sandbox.Init, deadline time.Time) (userCode, error) {
	b.unpacking.Lock()
	defer b.unpacking.Unlock()
	root, err := b.codeRoot()
	if err != nil {
		return userCode{}, err
	}
	defer root.Close()
	code := userCode{folder: root.Name()}
	if in.CodePath == "" {
		return code, errNoCode
	}
	f, err := os.Open(in.CodePath)
	if err != nil {
		return code, fmt.Errorf("code: %w", err)
	}
	defer f.Close()
	u := newUnpacker(root, b.uid, b.stopAt(deadline))
	if in.Binary {
		return code, b.unpackBinary(u, f)
	}
	n, err := u.file("source", 0o600, f)
	if err == nil && n == 0 {
		err = errNoCode
	}
	code.file = filepath.Join(code.folder, "source")
	return code, err
}

// stopAt returns what unpacking asks now and then whether to go on.
func (b *box) stopAt(deadline time.Time) func() error {
	return func() error {
		if b.killed.Load() {
			return errDestroyed
		}
		if !time.Now().Before(deadline) {
			return os.ErrDeadlineExceeded
		}
		return nil
	}
}

// codeRoot makes the folder for the code.
func (b *box) codeRoot() (*os.Root, error) {
	dir := filepath.Join(b.home, codeFolder)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("code folder: %w", err)
	}
	if b.uid >= 0 {
		if err := os.Lchown(dir, b.uid, b.uid); err != nil {
			return nil, fmt.Errorf("code folder: %w", err)
		}
	}
	return os.OpenRoot(dir)
}

// unpackBinary unpacks base64 of a zip or tar.gz. The decoded archive is on
// disk meanwhile, beside the sandbox's folder where it cannot be reached from
// inside.
func (b *box) unpackBinary(u *unpacker, text io.Reader) error {
	f, err := decode(text, b.home+".archive")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	head, size, err := headOf(f)
	if err != nil {
		return err
	}
	switch {
	case isZip(head):
		return u.zip(f, size)
	case isGzip(head):
		return u.tarGz(f)
	case size == 0:
		return errNoCode
	}
	return &codeError{"Initialization has failed due to: the code is neither a zip nor a tar.gz archive."}
}

// decode writes base64 text as bytes to a new file.
func decode(text io.Reader, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("code: %w", err)
	}
	if _, err := io.Copy(f, base64.NewDecoder(base64.StdEncoding, text)); err != nil {
		_ = f.Close()
		_ = os.Remove(path)
		var corrupt base64.CorruptInputError
		if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, &codeError{"Initialization has failed due to: the code is not valid base64."}
		}
		return nil, fmt.Errorf("code: %w", err)
	}
	return f, nil
}

// headOf returns the first bytes of a file and its size, and rewinds it.
func headOf(f *os.File) (head []byte, size int64, err error) {
	head = make([]byte, 4)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("code: %w", err)
	}
	if size, err = f.Seek(0, io.SeekEnd); err != nil {
		return nil, 0, fmt.Errorf("code: %w", err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return head[:n], size, err
}

func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}
func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }
func isProgram(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x7fELF")) || bytes.HasPrefix(head, []byte("#!"))
}
