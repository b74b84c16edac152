package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	secret = "the-secret"
	token  = "the-token"
)

// An identity provider that knows sa1 with one secret.
func provider(t *testing.T) (*httptest.Server, *atomic.Pointer[string]) {
	t.Helper()
	var valid atomic.Pointer[string]
	first := secret
	valid.Store(&first)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.FormValue("grant_type") != "client_credentials" || request.FormValue("client_id") != "sa1" ||
			request.FormValue("client_secret") != *valid.Load() {
			writer.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(writer, `{"error":"invalid_client","error_description":"`+request.FormValue("client_secret")+`"}`)
			return
		}
		_, _ = io.WriteString(writer, `{"access_token":"`+token+`","expires_in":300}`)
	})
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	return server, &valid
}

// The server's certificate in a file.
func certificate(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.crt")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func connectorWith(env map[string]string) *connector {
	return &connector{env: func(name string) string { return env[name] }}
}

// get is the status and the body of a path.
func get(t *testing.T, c *connector, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	c.handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

// attempt makes one attempt and returns what is served then.
func attempt(t *testing.T, c *connector) outcome {
	t.Helper()
	c.attempt(context.Background())
	_, body := get(t, c, "/outcome")
	var seen outcome
	if err := json.Unmarshal([]byte(body), &seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestEveryWayToACredential(t *testing.T) {
	server, _ := provider(t)
	ca := certificate(t, server)
	directory := t.TempDir()
	write(t, directory, server.URL, "sa1", secret)
	cases := map[string]struct {
		env    map[string]string
		source string
	}{
		"variables": {map[string]string{"OAUTH_TOKEN_URL": server.URL, "OAUTH_CLIENT_ID": "sa1", "OAUTH_CLIENT_SECRET": secret}, "env"},
		"envFrom":   {map[string]string{"token-url": server.URL, "client-id": "sa1", "client-secret": secret}, "envFrom"},
		"files":     {map[string]string{"CREDENTIALS_DIR": directory, "OAUTH_CLIENT_ID": "another"}, "files"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			test.env["CA_FILE"] = ca
			c := connectorWith(test.env)
			if status, body := get(t, c, "/readyz"); status != 503 {
				t.Errorf("ready before the first attempt: %s", body)
			}
			seen := attempt(t, c)
			if seen.Source != test.source || seen.ClientID != "sa1" || seen.TokenURL != server.URL || seen.Obtained != 1 || seen.Failed != 0 || seen.LastError != nil {
				t.Errorf("%+v", seen)
			}
			if status, body := get(t, c, "/readyz"); status != 200 || !strings.Contains(body, "since") {
				t.Errorf("%d %s", status, body)
			}
		})
	}
}

func write(t *testing.T, directory, url, id, secret string) {
	t.Helper()
	for name, value := range map[string]string{"token-url": url, "client-id": id, "client-secret": secret} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// point makes ..data lead to a directory in one step, as the kubelet does.
func point(t *testing.T, mount, to string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(mount, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")); err != nil {
		t.Fatal(err)
	}
}

func TestAChangedSecretIsPickedUp(t *testing.T) {
	server, valid := provider(t)
	mount := t.TempDir()
	for generation, value := range map[string]string{"1": secret, "2": "reset"} {
		if err := os.Mkdir(filepath.Join(mount, generation), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(mount, generation), server.URL, "sa1", value)
	}
	point(t, mount, "1")
	c := connectorWith(map[string]string{"CREDENTIALS_DIR": mount, "CA_FILE": certificate(t, server)})
	if seen := attempt(t, c); !seen.Ready {
		t.Fatalf("%+v", seen)
	}
	reset := "reset"
	valid.Store(&reset)
	seen := attempt(t, c)
	if seen.Ready || seen.Failed != 1 || *seen.LastError != (failure{"refused", 401, "invalid_client"}) {
		t.Fatalf("%+v", seen)
	}
	if status, body := get(t, c, "/readyz"); status != 503 || !strings.Contains(body, "refused (status 401)") {
		t.Errorf("%d %s", status, body)
	}
	point(t, mount, "2")
	seen = attempt(t, c)
	if !seen.Ready || seen.Obtained != 2 || seen.Failed != 1 || seen.LastError == nil {
		t.Fatalf("%+v", seen)
	}
	write(t, filepath.Join(mount, "2"), server.URL, "sa1", "")
	if seen = attempt(t, c); seen.Ready || seen.LastError.Message != "missing: file client-secret" {
		t.Fatalf("%+v %+v", seen, seen.LastError)
	}
	if err := os.Remove(filepath.Join(mount, "2", "client-secret")); err != nil {
		t.Fatal(err)
	}
	seen = attempt(t, c)
	if seen.Ready || seen.LastError.Kind != "configuration" || seen.LastError.Message != "missing: file client-secret" {
		t.Fatalf("%+v %+v", seen, seen.LastError)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	cases := map[string]struct {
		env     map[string]string
		message string
	}{
		"nothing":    {nil, "missing: variable token-url, variable client-id, variable client-secret"},
		"a variable": {map[string]string{"OAUTH_TOKEN_URL": "https://idp", "OAUTH_CLIENT_ID": "sa1"}, "missing: variable OAUTH_CLIENT_SECRET"},
		"a reference": {
			map[string]string{"OAUTH_TOKEN_URL": "https://idp", "OAUTH_CLIENT_ID": "$(client-id)", "OAUTH_CLIENT_SECRET": secret},
			"missing: variable OAUTH_CLIENT_ID, whose reference was not resolved",
		},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			seen := attempt(t, connectorWith(test.env))
			if seen.Ready || seen.LastError == nil || *seen.LastError != (failure{"configuration", 0, test.message}) {
				t.Errorf("%+v", seen.LastError)
			}
		})
	}
}

func TestOtherAnswers(t *testing.T) {
	var answer atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Set("Location", "/elsewhere")
		writer.WriteHeader(int(answer.Load()))
		_, _ = io.WriteString(writer, "<html>")
	}))
	env := map[string]string{"OAUTH_TOKEN_URL": other.URL, "OAUTH_CLIENT_ID": "sa1", "OAUTH_CLIENT_SECRET": secret}
	for _, status := range []int{200, 307, 404, 503} {
		answer.Store(int32(status))
		if seen := attempt(t, connectorWith(env)); *seen.LastError != (failure{"unexpected", status, "the answer is no token"}) {
			t.Errorf("%+v", seen.LastError)
		}
	}
	other.Close()
	if seen := attempt(t, connectorWith(env)); seen.LastError.Kind != "unreachable" {
		t.Errorf("%+v", seen.LastError)
	}
	untrusted, _ := provider(t)
	env["OAUTH_TOKEN_URL"] = untrusted.URL
	if seen := attempt(t, connectorWith(env)); seen.LastError.Kind != "unreachable" || !strings.Contains(seen.LastError.Message, "certificate") {
		t.Errorf("%+v", seen.LastError)
	}
}

func TestNoSecretIsToldToAnybody(t *testing.T) {
	var written bytes.Buffer
	log.SetOutput(&written)
	defer log.SetOutput(os.Stderr)
	server, valid := provider(t)
	c := connectorWith(map[string]string{
		"OAUTH_TOKEN_URL": server.URL, "OAUTH_CLIENT_ID": "sa1", "OAUTH_CLIENT_SECRET": secret, "CA_FILE": certificate(t, server),
	})
	other := "another"
	for _, valued := range []string{secret, other} {
		valid.Store(&valued)
		attempt(t, c)
		for _, path := range []string{"/readyz", "/outcome"} {
			_, body := get(t, c, path)
			written.WriteString(body)
		}
	}
	for _, hidden := range []string{secret, token} {
		if strings.Contains(written.String(), hidden) {
			t.Errorf("%q is in: %s", hidden, written.String())
		}
	}
	if !strings.Contains(written.String(), "invalid_client") {
		t.Errorf("the refusal is not told: %s", written.String())
	}
}
