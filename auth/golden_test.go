package auth

import (
	"encoding/hex"
	"strings"
	"testing"

	"hearth/whisk"
)

// What is stored must stay readable. These texts were made by the first
// version; a change that fails here locks everybody out.
func TestStoredFormsStay(t *testing.T) {
	const (
		data  = "01480f043c8808605399949a241d2ab879d77cd6d158881baa49e619f19f91c16f13048f82a5811482abaf4ed528889a5cc369"
		key   = "010ff7619b91c1664126bc718b83fa15e5f003b01c127f1364db59180a2ab2273093862ea099083756ca4a8f51ae50d3"
		param = "01a96610e77f649e05d8de1d5e9a464624b620bc07e445e2f4023525db6221bc8f0cdd10817da3be4dce26c0691dabee940031b4"
		id    = "207e58758681269c0274671481da92f2d4151e031804e8e59e4ec70dbfec6257"
		mac   = "16c3ca4631f90edde176f1891bc29b9846567f4df16f411a4da0cd663e673f76"
	)
	a := testKeys(1)
	for _, tc := range []struct {
		b                box
		text, aad, plain string
	}{
		{a.dataBox, data, "id", "hearth"},
		{a.keyBox, key, "uuid", "key"},
		{a.paramBox, param, "guest", `{"a":1}`},
	} {
		sealed, err := hex.DecodeString(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tc.b.open(sealed, []byte(tc.aad))
		if err != nil || string(got) != tc.plain {
			t.Errorf("opened %q, %v, want %q", got, err, tc.plain)
		}
	}
	got := a.mac(whisk.AuthKey{UUID: "23bc46b1-71f6-4ed5-8c54-816aa4f8c502", Key: strings.Repeat("k", keyLength)})
	if hex.EncodeToString(got[:]) != mac {
		t.Errorf("mac = %x, want %s", got, mac)
	}
	if got := hex.EncodeToString(a.ID()); got != id {
		t.Errorf("id = %s, want %s", got, id)
	}
}
