{{/* Names, labels and images: one definition for every template. */}}

{{- define "leanpipe.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "leanpipe.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "leanpipe.labels" -}}
{{ include "leanpipe.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: leanpipe
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Without the versions: a pod is replaced when what it runs changes, not when the chart does. */}}
{{- define "leanpipe.podLabels" -}}
{{ include "leanpipe.selector" . }}
app.kubernetes.io/part-of: leanpipe
{{- end -}}

{{/* (dict "root" $ "name" "gateway") */}}
{{- define "leanpipe.image" -}}
{{- $image := .root.Values.image -}}
{{- $registry := default $image.registry .root.Values.global.imageRegistry -}}
{{- if $registry }}{{ $registry }}/{{ end -}}
{{- if $image.repository }}{{ $image.repository }}/{{ end -}}
{{ .name }}
{{- with index $image.digests .name }}@{{ . }}{{ else }}:{{ coalesce (index $image.tags .name) $image.tag .root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "leanpipe.pullSecrets" -}}
{{- $secrets := concat .Values.global.imagePullSecrets .Values.image.pullSecrets | uniq -}}
{{- with $secrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* (dict "root" $ "part" "gateway") → the name of the service account */}}
{{- define "leanpipe.serviceAccount" -}}
{{- $account := (index .root.Values .part).serviceAccount -}}
{{- if $account.create -}}
{{- default (printf "%s-%s" (include "leanpipe.fullname" .root) .part) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{- define "leanpipe.apiTokenSecret" -}}
{{- default (printf "%s-dapr-token" (include "leanpipe.fullname" .)) .Values.dapr.apiTokenSecret -}}
{{- end -}}

{{- define "leanpipe.warmTokenSecret" -}}
{{- default (printf "%s-warm-token" (include "leanpipe.fullname" .)) .Values.tasks.warm.tokenSecret -}}
{{- end -}}

{{/* A quantity as a number of bytes. */}}
{{- define "leanpipe.bytes" -}}
{{- if kindIs "string" . -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "m" 0.001 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- mulf (float64 $number) (get $units (trimPrefix $number .) | default 1) | int64 -}}
{{- else -}}
{{- int64 . -}}
{{- end -}}
{{- end -}}

{{/* Streams as JSON, name → port, from the documents or from gateway.ports. */}}
{{- define "leanpipe.streamPorts" -}}
{{- $ports := dict -}}
{{- range $name, $given := .Values.streams -}}
{{- $listen := "" -}}
{{- $newest := 0 -}}
{{- range $version, $text := (ternary $given (dict "v1" $given) (kindIs "map" $given)) -}}
{{- $document := fromYaml $text -}}
{{- if hasKey $document "Error" }}{{ fail (printf "streams.%s is no YAML document: %s" $name (index $document "Error")) }}{{ end -}}
{{- if ne (toString $document.stream) $name }}{{ fail (printf "streams.%s holds the document of stream '%v': give both the same name." $name $document.stream) }}{{ end -}}
{{- $number := trimPrefix "v" $version | int -}}
{{- if gt $number $newest }}{{ $newest = $number }}{{ $listen = toString $document.listen }}{{ end -}}
{{- end -}}
{{- if not (regexMatch ":[0-9]+$" $listen) }}{{ fail (printf "streams.%s: listen is '%s': expected an address and a port, 0.0.0.0:7001." $name $listen) }}{{ end -}}
{{- if regexMatch "^(127\\.|localhost|\\[::1\\])" $listen }}{{ fail (printf "streams.%s listens on %s, which no Service reaches: write 0.0.0.0:%s." $name $listen (regexFind "[0-9]+$" $listen)) }}{{ end -}}
{{- $_ := set $ports $name (regexFind "[0-9]+$" $listen | int) -}}
{{- end -}}
{{- range .Values.gateway.ports }}{{ $_ := set $ports .name (int .port) }}{{ end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* A stream's name as a port's: at most 15 characters, told apart by a hash when it is longer. Two names are taken: of the port for health, and of metrics, which a ServiceMonitor asks for. */}}
{{- define "leanpipe.portName" -}}
{{- $name := replace "_" "-" . -}}
{{- if has $name (list "http" "metrics") }}{{ $name }}-stream{{ else if gt (len $name) 15 }}{{ printf "%s-%s" ($name | trunc 8 | trimSuffix "-") (sha256sum . | trunc 6) }}{{ else }}{{ trimSuffix "-" $name }}{{ end -}}
{{- end -}}
