package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// A failure says why there is no token. Nothing in it is secret.
type failure struct {
	// configuration: a value is missing; vault: no client secret from Vault; unreachable: no answer; refused: the credential
	// was not accepted; unexpected: an answer that is no token.
	Kind string `json:"kind"`
	// The HTTP status, where there was an answer.
	Status  int    `json:"status,omitempty"`
	Message string `json:"message"`
}

// The format of OAuth's error codes. Other text of an answer is not repeated: it may quote the request.
var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// obtain requests one token by client credentials, and does not keep it. It returns for how long the token is valid.
func obtain(ctx context.Context, from credential, caFile string) (time.Duration, *failure) {
	client, err := newClient(caFile)
	if err != nil {
		return 0, &failure{Kind: "configuration", Message: err.Error()}
	}
	defer client.CloseIdleConnections()
	form := url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {from.clientID},
		"client_secret": {from.secret},
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, from.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, &failure{Kind: "configuration", Message: "the token URL is none"}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		// Without the address, which the report has already.
		var detail *url.Error
		if errors.As(err, &detail) {
			err = detail.Err
		}
		return 0, &failure{Kind: "unreachable", Message: err.Error()}
	}
	defer answer.Body.Close()
	var body struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
		Error   string `json:"error"`
	}
	err = json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&body)
	if answer.StatusCode == http.StatusOK && err == nil && body.Token != "" {
		return time.Duration(body.Seconds) * time.Second, nil
	}
	kind, message := "unexpected", "the answer is no token"
	if errorCode.MatchString(body.Error) {
		message = body.Error
	}
	if answer.StatusCode == http.StatusBadRequest || answer.StatusCode == http.StatusUnauthorized {
		kind = "refused"
	}
	return 0, &failure{Kind: kind, Status: answer.StatusCode, Message: message}
}

// newClient makes a client for one request, so that a changed certificate, name or route is noticed at once.
func newClient(caFile string) (*http.Client, error) {
	// Distributions without certificates have no pool; CA_FILE may be all that is trusted.
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, errors.New("CA_FILE cannot be read")
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("CA_FILE has no certificate")
		}
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true,
		},
		// A redirect would send the credential elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
