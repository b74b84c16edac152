package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A Vault with one entry.
func vaultWith(t *testing.T, path string, answer *atomic.Pointer[string]) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.EscapedPath() != path || request.Header.Get("X-Vault-Token") != "vault-token" {
			writer.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(writer, `{"data":{"data":`+*answer.Load()+`,"metadata":{"version":1}}}`)
	}))
	t.Cleanup(server.Close)
	return server
}

func environment(tokenURL, vaultURL, ca string) []string {
	return []string{
		"EDC_IAM_STS_OAUTH_TOKEN_URL=" + tokenURL + "/", "EDC_IAM_STS_OAUTH_CLIENT_ID=sa1",
		"EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS=wallet/did:web:x-1", "TX_EDC_IAM_STS_DIV_URL=https://wallet",
		"EDC_VAULT_HASHICORP_URL=" + vaultURL, "EDC_VAULT_HASHICORP_TOKEN=vault-token",
		"EDC_VAULT_HASHICORP_API_SECRET_PATH=/v1/kv", "EDC_VAULT_HASHICORP_FOLDER=connector", "CA_FILE=" + ca,
	}
}

func content(value *atomic.Pointer[string], text string) { value.Store(&text) }

// An EDC with its token endpoint, whose valid secret can be changed, its Vault's answer and its clock.
func started(t *testing.T, without string) (*connector, *atomic.Pointer[string], *atomic.Pointer[string], *time.Time) {
	t.Helper()
	server, valid := provider(t)
	var answer atomic.Pointer[string]
	content(&answer, `{"content":"the-secret"}`)
	kv := vaultWith(t, "/v1/kv/data/connector/wallet/did%253Aweb%253Ax-1", &answer)
	variables := []string{}
	for _, variable := range environment(server.URL, kv.URL, certificate(t, server)) {
		if without == "" || !strings.HasPrefix(variable, without) {
			variables = append(variables, variable)
		}
	}
	login, failed := newEDC(variables)
	if failed != nil {
		t.Fatal(failed)
	}
	now := time.Now()
	login.now = func() time.Time { return now }
	return &connector{edc: login}, valid, &answer, &now
}

func TestATokenIsUsedUntilItExpires(t *testing.T) {
	c, valid, answer, now := started(t, "")
	if seen := attempt(t, c); !seen.Ready || seen.Obtained != 1 || seen.Source != "vault" || seen.ClientID != "sa1" {
		t.Fatalf("%+v %+v", seen, seen.LastError)
	}
	reset := "reset"
	valid.Store(&reset)
	*now = now.Add(299 * time.Second)
	if seen := attempt(t, c); !seen.Ready || seen.Obtained != 1 || seen.Failed != 0 {
		t.Fatalf("%+v", seen)
	}
	*now = now.Add(time.Second)
	if seen := attempt(t, c); seen.Ready || *seen.LastError != (failure{"refused", 401, "invalid_client"}) {
		t.Fatalf("%+v", seen)
	}
	// No restart: Vault is read for each token.
	content(answer, `{"content":"reset"}`)
	if seen := attempt(t, c); !seen.Ready || seen.Obtained != 2 {
		t.Fatalf("%+v %+v", seen, seen.LastError)
	}
}

func TestWithoutAWalletEachTokenIsANewOne(t *testing.T) {
	c, _, _, _ := started(t, "TX_EDC_IAM_STS_DIV_URL")
	attempt(t, c)
	if seen := attempt(t, c); seen.Obtained != 2 {
		t.Fatalf("%+v", seen)
	}
}

func TestAnEntryIsTakenAsItIs(t *testing.T) {
	for answer, wanted := range map[string]string{
		`{"content":"the-secret\n"}`:     "the answer is no token",
		`{"client-secret":"the-secret"}`: "Failed to fetch client secret from the vault with alias wallet/did:web:x-1: the entry has no key content",
		`null`:                           "Failed to fetch client secret from the vault with alias wallet/did:web:x-1: the entry has no key content",
	} {
		c, _, entry, _ := started(t, "")
		content(entry, answer)
		if seen := attempt(t, c); seen.Ready || seen.LastError.Message != wanted {
			t.Errorf("%s: %+v", answer, seen.LastError)
		}
	}
}

func TestAMissingEntry(t *testing.T) {
	c, _, _, _ := started(t, "EDC_VAULT_HASHICORP_FOLDER")
	seen := attempt(t, c)
	if seen.Ready || seen.LastError.Kind != "vault" || seen.LastError.Status != 404 {
		t.Fatalf("%+v", seen.LastError)
	}
}

func TestWhatStopsAnEDC(t *testing.T) {
	complete := environment("https://idp", "https://vault", "")
	for _, test := range []struct {
		variables []string
		message   string
	}{
		{append([]string{"edc.iam.sts.oauth.client.id=sa2"}, complete...), "Duplicate key edc.iam.sts.oauth.client.id"},
		{append([]string{"client_id=a", "CLIENT_ID=b"}, complete...), "Duplicate key client.id"},
		{append([]string{"client-id=a", "CLIENT_ID=b"}, complete...), ""},
		{complete[1:], "missing: setting edc.iam.sts.oauth.token.url"},
		{append([]string{"EDC_IAM_STS_OAUTH_TOKEN_URL="}, complete[1:]...), "missing: setting edc.iam.sts.oauth.token.url"},
	} {
		_, failed := newEDC(test.variables)
		if (failed == nil) != (test.message == "") || failed != nil && failed.Message != test.message {
			t.Errorf("%v: %v", test.variables, failed)
		}
	}
}

func TestNoSecretOfVaultIsShown(t *testing.T) {
	c, valid, _, now := started(t, "")
	other := "another"
	for range 2 {
		attempt(t, c)
		valid.Store(&other)
		*now = now.Add(time.Hour)
	}
	for _, path := range []string{"/readyz", "/outcome"} {
		_, body := get(t, c, path)
		for _, hidden := range []string{secret, token, "vault-token"} {
			if strings.Contains(body, hidden) {
				t.Errorf("%q is in %s", hidden, body)
			}
		}
	}
}
