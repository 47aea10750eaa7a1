package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestFrontTLS(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			t.Errorf("TLS state = %v", r.TLS)
		}
		io.Copy(w, r.Body)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	f := mustFront(t, DefaultFrontConfig(), http.HandlerFunc(h))
	go func() {
		stopped <- f.Serve(ctx, tls.NewListener(plain, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}))
	}()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	body := bytes.Repeat([]byte("body"), 100_000)
	for range 2 {
		res, err := (&http.Client{Transport: tr}).Post("https://"+plain.Addr().String(), "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !bytes.Equal(got, body) || res.ProtoMajor != 1 {
			t.Errorf("got %d bytes of %d over %s, %v", len(got), len(body), res.Proto, err)
		}
	}
	tr.CloseIdleConnections()
	res, err := http.Get("http://" + plain.Addr().String())
	if err != nil {
		t.Fatalf("http on the TLS port: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("http on the TLS port: %d, want 400", res.StatusCode)
	}
	stop()
	if err := <-stopped; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
