{{/* The parts that the operator's pods and the pod of `helm test` share. */}}

{{- define "technical-user-operator.image" -}}
{{- $image := .Values.image.repository -}}
{{- $registry := default .Values.global.imageRegistry .Values.image.registry -}}
{{- with $registry }}{{ $image = printf "%s/%s" (trimSuffix "/" .) $image }}{{ end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $image .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The Secrets with registry logins, from the values of this chart and of the parent chart, as names or objects. */}}
{{- define "technical-user-operator.pullSecrets" -}}
{{- $names := list -}}
{{- range concat .Values.global.imagePullSecrets .Values.image.pullSecrets -}}
{{- $name := kindIs "string" . | ternary . (get (kindIs "map" . | ternary . dict) "name") -}}
{{- if $name }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- range uniq $names }}
- name: {{ . | quote }}
{{- end -}}
{{- end -}}

{{/* The environment that identifies the installation, for the operator and the preflight. */}}
{{- define "technical-user-operator.installationEnv" -}}
- name: TUO_INSTANCE
  value: {{ include "technical-user-operator.instance" . | quote }}
- name: TUO_WATCH_NAMESPACES
  value: {{ include "technical-user-operator.watchNamespaces" . | fromJsonArray | join "," | quote }}
- name: TUO_SCOPED_RBAC
  value: {{ .Values.scopedRBAC | quote }}
- name: TUO_LEADER_ELECTION
  value: {{ .Values.leaderElection.enabled | quote }}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- end -}}

{{/* The name of the preflight's pod. No Service, budget or ReplicaSet of the operator selects it. */}}
{{- define "technical-user-operator.preflightName" -}}
{{- printf "%s-preflight" (default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-") -}}
{{- end -}}

{{/* "true" on OpenShift, or where a value says so. */}}
{{- define "technical-user-operator.isOpenShift" -}}
{{- $mode := .Values.openshift.adaptSecurityContext -}}
{{- if eq $mode "auto" -}}
{{- $mode = default "auto" .Values.global.compatibility.openshift.adaptSecurityContext -}}
{{- end -}}
{{- or (eq $mode "force") (and (eq $mode "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}
{{- end -}}

{{/* A security context. OpenShift gives each namespace a range of users and refuses pods that choose others. */}}
{{- define "technical-user-operator.securityContext" -}}
{{- $context := default dict (index . 1) -}}
{{- if eq (include "technical-user-operator.isOpenShift" (index . 0)) "true" -}}
{{- $context = omit $context "runAsUser" "runAsGroup" "fsGroup" -}}
{{- end -}}
{{- with $context }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The node, the user and the ServiceAccount of a pod. */}}
{{- define "technical-user-operator.podSettings" -}}
serviceAccountName: {{ include "technical-user-operator.serviceAccountName" . | quote }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with include "technical-user-operator.pullSecrets" . }}
imagePullSecrets:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with include "technical-user-operator.securityContext" (list . .Values.podSecurityContext) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . | quote }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Image, security context and resources of a container. */}}
{{- define "technical-user-operator.containerSettings" -}}
image: {{ include "technical-user-operator.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "technical-user-operator.securityContext" (list . .Values.securityContext) }}
securityContext:
  {{- . | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
