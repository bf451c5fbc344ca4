{{/* What every pod has: restricted security, the lake's environment, volumes, placement. */}}

{{- define "leanpipe.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.security.runAsUser }}
runAsUser: {{ . }}
{{- end }}
{{- with .Values.security.runAsGroup }}
runAsGroup: {{ . }}
{{- end }}
{{- with .Values.security.fsGroup }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "leanpipe.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* How a container reaches the lake. Credentials by reference only. */}}
{{- define "leanpipe.lakeEnv" -}}
{{- $store := .Values.objectStore -}}
{{- $name := include "leanpipe.fullname" . -}}
{{- if $store.folder.enabled -}}
- name: LEANPIPE_LAKE
  value: /lake
{{- else -}}
- name: LEANPIPE_LAKE
  value: s3://{{ include "leanpipe.bucket" . }}{{ with $store.prefix }}/{{ . }}{{ end }}
- name: LEANPIPE_S3_REGION
  value: {{ $store.region | quote }}
{{- with include "leanpipe.endpoint" . }}
- name: LEANPIPE_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- if not (kindIs "invalid" $store.pathStyle) }}
- name: LEANPIPE_S3_PATH_STYLE
  value: {{ $store.pathStyle | quote }}
{{- end }}
{{- with include "leanpipe.storeSecret" . }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $store.accessKeyKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $store.secretKeyKey }}
{{- end }}
{{- if $store.ca.existingConfigMap }}
# Beside the folder of certificates that the image brings along.
- name: SSL_CERT_FILE
  value: /etc/leanpipe/ca/leanpipe-ca.pem
{{- end }}
{{- end }}
- name: TMPDIR
  value: /tmp
{{- end -}}

{{/* A key of a ConfigMap has no slash: versions of a stream get their folder where they are mounted. Without versions every key is a file. */}}
{{- define "leanpipe.streamItems" -}}
{{- $versioned := false -}}
{{- range .Values.streams }}{{ if kindIs "map" . }}{{ $versioned = true }}{{ end }}{{ end -}}
{{- if $versioned -}}
items:
  {{- range $stream, $given := .Values.streams }}
  {{- if kindIs "map" $given }}
  {{- range $version, $text := $given }}
  - key: {{ $stream }}.{{ $version }}.yaml
    path: {{ $stream }}/{{ $version }}.yaml
  {{- end }}
  {{- else }}
  - key: {{ $stream }}.yaml
    path: {{ $stream }}.yaml
  {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "leanpipe.bucket" -}}
{{- if .Values.objectStore.bucket -}}
{{- .Values.objectStore.bucket -}}
{{- else if .Values.objectStore.minio.enabled -}}
lake
{{- end -}}
{{- end -}}

{{- define "leanpipe.endpoint" -}}
{{- if .Values.objectStore.endpoint -}}
{{- .Values.objectStore.endpoint -}}
{{- else if .Values.objectStore.minio.enabled -}}
http://{{ include "leanpipe.fullname" . }}-minio:9000
{{- end -}}
{{- end -}}

{{- define "leanpipe.storeSecret" -}}
{{- if .Values.objectStore.existingSecret -}}
{{- .Values.objectStore.existingSecret -}}
{{- else if .Values.objectStore.minio.enabled -}}
{{ include "leanpipe.fullname" . }}-minio
{{- end -}}
{{- end -}}

{{- define "leanpipe.lakeMounts" -}}
{{- if .Values.objectStore.folder.enabled -}}
- name: lake
  mountPath: /lake
{{- else if .Values.objectStore.ca.existingConfigMap -}}
- name: ca
  mountPath: /etc/leanpipe/ca
  readOnly: true
{{- end }}
{{- end -}}

{{- define "leanpipe.lakeVolumes" -}}
{{- $store := .Values.objectStore -}}
{{- if $store.folder.enabled -}}
- name: lake
  persistentVolumeClaim:
    claimName: {{ default (printf "%s-lake" (include "leanpipe.fullname" .)) $store.folder.existingClaim }}
{{- else if $store.ca.existingConfigMap -}}
- name: ca
  configMap:
    name: {{ $store.ca.existingConfigMap }}
    items:
      - key: {{ $store.ca.key }}
        path: leanpipe-ca.pem
{{- end }}
{{- end -}}

{{/* (dict "root" $ "part" "gateway"): where pods may run. */}}
{{- define "leanpipe.placement" -}}
{{- $values := index .root.Values .part -}}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else if gt (int ($values.replicas | default 1)) 1 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "leanpipe.selector" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .part }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "appId" "gateway" "port" 8080): annotations for the cluster's Dapr. */}}
{{- define "leanpipe.daprAnnotations" -}}
{{- $installed := .root.Values.dapr.installed -}}
dapr.io/enabled: "true"
dapr.io/app-id: {{ .appId }}
{{- with .port }}
dapr.io/app-port: {{ . | quote }}
{{- end }}
dapr.io/config: {{ include "leanpipe.fullname" .root }}
dapr.io/api-token-secret: {{ include "leanpipe.apiTokenSecret" .root }}
dapr.io/log-level: {{ $installed.logLevel }}
{{- with $installed.resources.requests }}
{{- with .cpu }}
dapr.io/sidecar-cpu-request: {{ . | quote }}
{{- end }}
{{- with .memory }}
dapr.io/sidecar-memory-request: {{ . | quote }}
{{- end }}
{{- end }}
{{- with $installed.resources.limits }}
{{- with .cpu }}
dapr.io/sidecar-cpu-limit: {{ . | quote }}
{{- end }}
{{- with .memory }}
dapr.io/sidecar-memory-limit: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The callers' half of the sidecar's token. */}}
{{- define "leanpipe.daprEnv" -}}
- name: DAPR_API_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ include "leanpipe.apiTokenSecret" . }}
      key: token
{{- end -}}
