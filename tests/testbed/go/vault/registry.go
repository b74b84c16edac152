package main

import (
	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

var (
	secretEngines = map[string]logical.Factory{"kv": kv.Factory}
	authMethods   = map[string]logical.Factory{"approle": approle.Factory, "kubernetes": kubernetes.Factory}
)

// registry lists what Vault may mount; Vault then takes it from the maps above.
type registry struct{}

func (registry) find(name string, kind consts.PluginType) (logical.Factory, bool) {
	var factory logical.Factory
	switch kind {
	case consts.PluginTypeSecrets:
		factory = secretEngines[name]
	case consts.PluginTypeCredential:
		factory = authMethods[name]
	}
	return factory, factory != nil
}

func (r registry) Contains(name string, kind consts.PluginType) bool {
	_, found := r.find(name, kind)
	return found
}

func (r registry) Get(name string, kind consts.PluginType) (func() (any, error), bool) {
	factory, found := r.find(name, kind)
	return func() (any, error) { return factory, nil }, found
}

func (registry) Keys(kind consts.PluginType) []string {
	switch kind {
	case consts.PluginTypeSecrets:
		return []string{"kv"}
	case consts.PluginTypeCredential:
		return []string{"approle", "kubernetes"}
	}
	return nil
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func (registry) IsBuiltinEntPlugin(string, consts.PluginType) bool {
	return false
}
