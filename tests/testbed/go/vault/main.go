// A Vault server for the tests, with everything in memory: KV version 2 at secret/, and AppRole and Kubernetes as
// authentication methods that can be enabled. It prints one line of JSON with "address", "root_token" and, with -tls,
// "ca", the certificate to trust. It ends when its standard input closes.
package main

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "the `address` to listen on; port 0 stands for a free one")
	withTLS := flag.Bool("tls", false, "serve HTTPS, with a certificate for this run")
	flag.Parse()
	if err := run(*listen, *withTLS); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen string, withTLS bool) error {
	core, rootToken, unsealKey, err := startCore()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	line := map[string]string{"address": "http://" + listener.Addr().String(), "root_token": rootToken, "unseal_key": unsealKey}
	if withTLS {
		certificate, ca, err := selfSigned(listener.Addr().(*net.TCPAddr).IP)
		if err != nil {
			return err
		}
		line["address"], line["ca"] = "https://"+listener.Addr().String(), ca
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{MaxRequestDuration: vault.DefaultMaxRequestDuration},
	})
	ended := make(chan error, 2)
	go func() {
		ended <- http.Serve(listener, handler)
	}()
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	return <-ended
}

// startCore returns an unsealed Vault with a mount secret/, its root token, and the key that unseals it again.
func startCore() (*vault.Core, string, string, error) {
	logger := hclog.New(&hclog.LoggerOptions{Name: "vault", Level: hclog.Warn, Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, "", "", err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		LogicalBackends:    secretEngines,
		CredentialBackends: authMethods,
		BuiltinRegistry:    registry{},
		Logger:             logger,
		DisableMlock:       true,
	})
	if err != nil {
		return nil, "", "", err
	}
	ctx := context.Background()
	keys, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig:  &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
		RecoveryConfig: &vault.SealConfig{},
	})
	if err != nil {
		return nil, "", "", err
	}
	if _, err := core.Unseal(keys.SecretShares[0]); err != nil {
		return nil, "", "", err
	}
	return core, keys.RootToken, hex.EncodeToString(keys.SecretShares[0]), mountSecrets(core, keys.RootToken)
}

// mountSecrets mounts KV version 2 where a new Vault of HashiCorp's chart in development mode has it.
func mountSecrets(core *vault.Core, rootToken string) error {
	request := &logical.Request{
		Operation:   logical.UpdateOperation,
		Path:        "sys/mounts/secret",
		ClientToken: rootToken,
		Data:        map[string]any{"type": "kv", "options": map[string]any{"version": "2"}},
	}
	response, err := core.HandleRequest(namespace.RootContext(context.Background()), request)
	if err == nil && response.IsError() {
		err = response.Error()
	}
	return err
}
