{{/* The operator's rights on its own kinds. */}}
{{- define "technical-user-operator.ownKindRules" -}}
# The reconciler of TechnicalUsers: patch writes the finalizer and the attempt that precedes each create.
- apiGroups: [technicaluser.dev]
  resources: [technicalusers]
  verbs: [get, list, watch, patch]
- apiGroups: [technicaluser.dev]
  resources: [technicalusers/status]
  verbs: [patch]
# The ownerReference of a generated Secret blocks its owner's deletion; the admission plugin
# OwnerReferencesPermissionEnforcement allows that only to those who may update the owner's finalizers.
- apiGroups: [technicaluser.dev]
  resources: [technicalusers/finalizers]
  verbs: [update]
# The reconciler of Portals: patch writes the finalizer.
- apiGroups: [technicaluser.dev]
  resources: [portals]
  verbs: [get, list, watch, patch]
- apiGroups: [technicaluser.dev]
  resources: [portals/status]
  verbs: [patch]
# The reconciler of Vaults: patch writes the finalizer.
- apiGroups: [technicaluser.dev]
  resources: [vaults]
  verbs: [get, list, watch, patch]
- apiGroups: [technicaluser.dev]
  resources: [vaults/status]
  verbs: [patch]
{{- end -}}

{{/* The operator's rights on other kinds in a watched namespace. */}}
{{- define "technical-user-operator.namespaceRules" -}}
# get: login Secrets of Portals and Vaults, CA bundles in Secrets, and a Secret of the operator that another client changed.
# list, watch: metadata only, with a label selector for the Secrets of this installation. RBAC has no
# selectors for labels, so a client with this ServiceAccount's token can read every Secret of the namespace.
# create, patch: the outputs of TechnicalUsers. delete: only a Secret of the operator that no output names any more.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
# The CA bundle of a Portal or Vault, if it is in a ConfigMap.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# The free Secrets of a quota: the operator creates no more users at a time than Secrets can be written.
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list]
# Events on TechnicalUsers, Portals and Vaults; patch counts a repeated one.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.restart.enabled }}
# Restarts of the workloads that spec.restart of a TechnicalUser names. RBAC cannot limit a patch to a field: the
# ValidatingAdmissionPolicy of this release limits it to the annotation of a restart.
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, patch]
{{- end }}
{{- end -}}
