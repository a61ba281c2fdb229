// Command cel answers questions about CEL expressions with the code of the Kubernetes API server: how they parse, what the
// checker says of them, what they are estimated to cost, and what they evaluate to at what cost.
//
// It reads one JSON request per line from standard input and writes one JSON response per line to standard output.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/mutation"
	"k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

type request struct {
	// Expression is CEL text.
	Expression string `json:"expression"`
	// Version is the Kubernetes version of the environment; default 1.37.
	Version string `json:"version"`
	// Params, Authorizer and PatchTypes switch on what an admission expression may see.
	Params     bool `json:"params"`
	Authorizer bool `json:"authorizer"`
	PatchTypes bool `json:"patchTypes"`
	// Variables declares further variables, by name, with types such as "int", "list(string)", "map(string, dyn)".
	Variables map[string]string `json:"variables"`
	// Schema is an OpenAPI schema that types "object"; without one it is dyn.
	Schema *spec.Schema `json:"schema"`
	// Sizes gives maximal sizes to operands by path ("object.spec.list"), for the estimate.
	Sizes map[string]uint64 `json:"sizes"`
	// Tree asks for the checked tree.
	Tree bool `json:"tree"`
	// Estimate asks for the estimated cost.
	Estimate bool `json:"estimate"`
	// Evaluate asks for the result with these variable values (JSON).
	Evaluate objects `json:"evaluate"`
	// Benchmark asks for the time of an evaluation over these variable values in turns.
	Benchmark []objects `json:"benchmark"`
}

// objects decodes as the API server decodes objects: a number without fraction is an int64.
type objects map[string]any

func (o *objects) UnmarshalJSON(data []byte) error {
	return utiljson.Unmarshal(data, (*map[string]any)(o))
}

type issue struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

type response struct {
	Text     string   `json:"text,omitempty"`
	Issues   []issue  `json:"issues,omitempty"`
	Type     string   `json:"type,omitempty"`
	Tree     any      `json:"tree,omitempty"`
	Unparsed string   `json:"unparsed,omitempty"`
	Min      *float64 `json:"min,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Value    any      `json:"value,omitempty"`
	Error    string   `json:"error,omitempty"`
	Cost     *uint64  `json:"cost,omitempty"`
	Failure  string   `json:"failure,omitempty"`
	// Nanoseconds per evaluation, median of rounds.
	Nanoseconds float64 `json:"nanoseconds,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		if len(in.Bytes()) == 0 {
			continue
		}
		if err := encoder.Encode(answer(in.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := out.Flush(); err != nil {
			os.Exit(1)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(line []byte) (result response) {
	defer func() {
		if p := recover(); p != nil {
			result = response{Failure: fmt.Sprint("panic: ", p)}
		}
	}()
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return response{Failure: err.Error()}
	}
	env, err := environmentFor(&req)
	if err != nil {
		return response{Failure: err.Error()}
	}
	compiled, issues := env.Compile(req.Expression)
	if issues != nil && issues.Err() != nil {
		res := response{Text: issues.String()}
		for _, e := range issues.Errors() {
			res.Issues = append(res.Issues, issue{e.Location.Line(), e.Location.Column(), e.Message})
		}
		return res
	}
	res := response{Type: compiled.OutputType().String()}
	if req.Tree {
		res.Tree = node(compiled.NativeRep(), compiled.NativeRep().Expr())
		if text, err := cel.AstToString(compiled); err == nil {
			res.Unparsed = text
		}
	}
	if req.Estimate {
		estimate, err := env.EstimateCost(compiled, &library.CostEstimator{SizeEstimator: &sizes{req.Sizes, declared(&req)}})
		if err != nil {
			return response{Failure: err.Error()}
		}
		low, high := float64(estimate.Min), float64(estimate.Max)
		if estimate.Max == math.MaxUint64 {
			high = -1
		}
		res.Min, res.Max = &low, &high
	}
	if len(req.Benchmark) > 0 {
		program, err := env.Program(compiled)
		if err != nil {
			return response{Failure: err.Error()}
		}
		res.Nanoseconds = benchmark(program, req.Benchmark)
		return res
	}
	if req.Evaluate != nil {
		program, err := env.Program(compiled)
		if err != nil {
			res.Error = "program instantiation failed: " + err.Error()
			return res
		}
		value, details, err := program.ContextEval(context.Background(), map[string]any(req.Evaluate))
		if details != nil {
			res.Cost = details.ActualCost()
		}
		if err != nil {
			res.Error = err.Error()
		} else {
			res.Value = plain(value)
		}
	}
	return res
}

// benchmark evaluates in rounds of some 20 milliseconds and answers the median time of one evaluation.
func benchmark(program cel.Program, inputs []objects) float64 {
	activations := make([]map[string]any, len(inputs))
	for i, input := range inputs {
		activations[i] = map[string]any(input)
	}
	round := func(count int) time.Duration {
		started := time.Now()
		for i := 0; i < count; i++ {
			if _, _, err := program.Eval(activations[i%len(activations)]); err != nil {
				panic(err)
			}
		}
		return time.Since(started)
	}
	count := len(inputs)
	for round(count) < 20*time.Millisecond {
		count *= 2
	}
	times := make([]float64, 15)
	for i := range times {
		times[i] = float64(round(count).Nanoseconds()) / float64(count)
	}
	sort.Float64s(times)
	return times[len(times)/2]
}

var environments = map[string]*environment.EnvSet{}

func environmentFor(req *request) (*cel.Env, error) {
	if req.Version == "" {
		req.Version = "1.37"
	}
	key := fmt.Sprint(req.Version, req.Params, req.Authorizer, req.PatchTypes, req.Schema != nil)
	set := environments[key]
	if set == nil || req.Schema != nil {
		ver, err := version.ParseGeneric(req.Version)
		if err != nil {
			return nil, err
		}
		set, err = admissionEnvironment(environment.MustBaseEnvSet(ver), req)
		if err != nil {
			return nil, err
		}
		environments[key] = set
	}
	env := set.StoredExpressionsEnv()
	if len(req.Variables) == 0 {
		return env, nil
	}
	var options []cel.EnvOption
	for name, text := range req.Variables {
		t, rest, err := parseType(text)
		if err != nil || rest != "" {
			return nil, fmt.Errorf("type of %s: %q", name, text)
		}
		options = append(options, cel.Variable(name, t))
	}
	return env.Extend(options...)
}

func declared(req *request) *apiservercel.DeclType {
	if req.Schema == nil {
		return nil
	}
	return openapi.SchemaDeclType(req.Schema, true).MaybeAssignTypeName("schema")
}

// admissionEnvironment is what the API server's createEnvForOpts makes, with an object type when there is a schema.
func admissionEnvironment(base *environment.EnvSet, req *request) (*environment.EnvSet, error) {
	requestType, namespaceType := plugincel.BuildRequestType(), plugincel.BuildNamespaceType()
	objectType := cel.DynType
	declTypes := []*apiservercel.DeclType{namespaceType, requestType}
	if declType := declared(req); declType != nil {
		objectType = declType.CelType()
		declTypes = append(declTypes, declType)
	}
	options := []cel.EnvOption{
		cel.Variable("object", objectType),
		cel.Variable("oldObject", objectType),
		cel.Variable("namespaceObject", namespaceType.CelType()),
		cel.Variable("request", requestType.CelType()),
	}
	if req.Params {
		options = append(options, cel.Variable("params", cel.DynType))
	}
	if req.Authorizer {
		options = append(options,
			cel.Variable("authorizer", library.AuthorizerType),
			cel.Variable("authorizer.requestResource", library.ResourceCheckType))
	}
	extended, err := base.Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        options,
		DeclTypes:         declTypes,
	}, environment.StrictCostOpt)
	if err != nil || !req.PatchTypes {
		return extended, err
	}
	return extended.Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions: []cel.EnvOption{
			common.ResolverEnvOption(&mutation.DynamicTypeResolver{}),
			environment.UnversionedLib(library.JSONPatch),
		},
	})
}

// parseType reads a type as the checker's messages write it.
func parseType(text string) (*cel.Type, string, error) {
	end := strings.IndexAny(text, "(,) ")
	name, rest := text, ""
	if end >= 0 {
		name, rest = text[:end], text[end:]
	}
	var params []*cel.Type
	if strings.HasPrefix(rest, "(") {
		rest = rest[1:]
		for {
			p, r, err := parseType(strings.TrimLeft(rest, " "))
			if err != nil {
				return nil, "", err
			}
			params, rest = append(params, p), r
			if strings.HasPrefix(rest, ",") {
				rest = rest[1:]
				continue
			}
			if !strings.HasPrefix(rest, ")") {
				return nil, "", fmt.Errorf("type %q", text)
			}
			rest = rest[1:]
			break
		}
	}
	simple := map[string]*cel.Type{
		"dyn": cel.DynType, "null": cel.NullType, "bool": cel.BoolType, "int": cel.IntType, "uint": cel.UintType,
		"double": cel.DoubleType, "string": cel.StringType, "bytes": cel.BytesType,
		"timestamp": cel.TimestampType, "duration": cel.DurationType,
	}
	switch {
	case name == "list" && len(params) == 1:
		return cel.ListType(params[0]), rest, nil
	case name == "map" && len(params) == 2:
		return cel.MapType(params[0], params[1]), rest, nil
	case name == "optional_type" && len(params) == 1:
		return cel.OptionalType(params[0]), rest, nil
	case name == "type" && len(params) == 0:
		return types.TypeType, rest, nil
	case name == "type" && len(params) == 1:
		return types.NewTypeTypeWithParam(params[0]), rest, nil
	case simple[name] != nil && len(params) == 0:
		return simple[name], rest, nil
	case strings.HasPrefix(name, "kubernetes.") && strings.Contains("kubernetes.Namespace kubernetes.AdmissionRequest", name):
		return cel.ObjectType(name), rest, nil
	}
	return cel.OpaqueType(name, params...), rest, nil
}

type sizes struct {
	byPath   map[string]uint64
	declType *apiservercel.DeclType
}

func (s *sizes) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	path := element.Path()
	if size, ok := s.byPath[strings.Join(path, ".")]; ok {
		return &checker.SizeEstimate{Min: 0, Max: size}
	}
	if s.declType == nil || len(path) == 0 || path[0] != "object" {
		return nil
	}
	current := s.declType
	for _, name := range path[1:] {
		switch name {
		case "@items", "@values":
			current = current.ElemType
		case "@keys":
			current = current.KeyType
		default:
			field, ok := current.Fields[name]
			if !ok {
				return nil
			}
			current = field.Type
		}
		if current == nil {
			return nil
		}
	}
	return &checker.SizeEstimate{Min: 0, Max: uint64(current.MaxElements)}
}

func (s *sizes) EstimateCallCost(function, overloadID string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	return nil
}

// node turns a checked tree into JSON: kind, id, offsets in code points, type, references and children.
func node(tree *ast.AST, e ast.Expr) any {
	out := map[string]any{"id": e.ID()}
	if offset, ok := tree.SourceInfo().GetOffsetRange(e.ID()); ok {
		out["at"] = offset.Start
	}
	if t := tree.GetType(e.ID()); t != nil {
		out["type"] = checker.FormatCELType(t)
	}
	if reference, ok := tree.ReferenceMap()[e.ID()]; ok {
		if reference.Name != "" {
			out["reference"] = reference.Name
		}
		if len(reference.OverloadIDs) > 0 {
			ids := append([]string{}, reference.OverloadIDs...)
			sort.Strings(ids)
			out["overloads"] = ids
		}
	}
	all := func(list []ast.Expr) []any {
		result := make([]any, len(list))
		for i, child := range list {
			result[i] = node(tree, child)
		}
		return result
	}
	switch e.Kind() {
	case ast.LiteralKind:
		out["kind"], out["value"] = "literal", plain(e.AsLiteral())
	case ast.IdentKind:
		out["kind"], out["name"] = "ident", e.AsIdent()
	case ast.SelectKind:
		s := e.AsSelect()
		out["kind"], out["operand"], out["field"], out["testOnly"] = "select", node(tree, s.Operand()), s.FieldName(), s.IsTestOnly()
	case ast.CallKind:
		c := e.AsCall()
		out["kind"], out["fn"], out["args"] = "call", c.FunctionName(), all(c.Args())
		if c.IsMemberFunction() {
			out["target"] = node(tree, c.Target())
		}
	case ast.ListKind:
		l := e.AsList()
		out["kind"], out["elements"], out["optional"] = "list", all(l.Elements()), l.OptionalIndices()
	case ast.MapKind:
		entries := []any{}
		for _, entry := range e.AsMap().Entries() {
			m := entry.AsMapEntry()
			entries = append(entries, map[string]any{"id": entry.ID(), "key": node(tree, m.Key()), "value": node(tree, m.Value()), "optional": m.IsOptional()})
		}
		out["kind"], out["entries"] = "map", entries
	case ast.StructKind:
		s := e.AsStruct()
		fields := []any{}
		for _, field := range s.Fields() {
			f := field.AsStructField()
			fields = append(fields, map[string]any{"id": field.ID(), "name": f.Name(), "value": node(tree, f.Value()), "optional": f.IsOptional()})
		}
		out["kind"], out["typeName"], out["fields"] = "struct", s.TypeName(), fields
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		out["kind"], out["iterRange"], out["iterVar"], out["iterVar2"] = "comprehension", node(tree, c.IterRange()), c.IterVar(), c.IterVar2()
		out["accuVar"], out["accuInit"] = c.AccuVar(), node(tree, c.AccuInit())
		out["loopCondition"], out["loopStep"], out["result"] = node(tree, c.LoopCondition()), node(tree, c.LoopStep()), node(tree, c.Result())
	default:
		out["kind"] = "unspecified"
	}
	return out
}

// plain writes a value so that its CEL type can be told: JSON for null, bool, string, list and map, {"<type>": text} for the rest.
func plain(value ref.Val) any {
	switch v := value.(type) {
	case types.Null:
		return map[string]any{"null": ""}
	case types.Bool:
		return bool(v)
	case types.String:
		return string(v)
	case types.Int:
		return map[string]any{"int": strconv.FormatInt(int64(v), 10)}
	case types.Uint:
		return map[string]any{"uint": strconv.FormatUint(uint64(v), 10)}
	case types.Double:
		return map[string]any{"double": strconv.FormatFloat(float64(v), 'g', -1, 64)}
	case types.Bytes:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(v)}
	case types.Timestamp:
		return map[string]any{"timestamp": fmt.Sprintf("%d.%09d", v.Unix(), v.Nanosecond())}
	case types.Duration:
		return map[string]any{"duration": strconv.FormatInt(int64(v.Duration), 10)}
	case *types.Type:
		return map[string]any{"type": v.TypeName()}
	case *types.Optional:
		if !v.HasValue() {
			return map[string]any{"optional": []any{}}
		}
		return map[string]any{"optional": []any{plain(v.GetValue())}}
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			list = append(list, plain(it.Next()))
		}
		return list
	case traits.Mapper:
		entries := [][]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, []any{plain(key), plain(v.Get(key))})
		}
		sort.Slice(entries, func(i, j int) bool { return fmt.Sprint(entries[i][0]) < fmt.Sprint(entries[j][0]) })
		return map[string]any{"map": entries}
	}
	return map[string]any{value.Type().TypeName(): fmt.Sprint(value.Value())}
}
