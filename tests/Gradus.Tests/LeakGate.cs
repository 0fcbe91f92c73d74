using System.Reflection;
using Gradus.Engine.Tensors;
using Xunit.v3;

[assembly: Gradus.Tests.LeakGate]

namespace Gradus.Tests;

/// <summary>Every test ends with as many live tensor handles as it began with, so a leak is found where it is made.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class LeakGateAttribute : BeforeAfterTestAttribute
{
    private long _before;

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => _before = Tensor.Live;

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        var after = Tensor.Live;
        if (after != _before && test.TestCase.SkipReason is null)
            Assert.Fail($"{after - _before} tensor handles outlive {methodUnderTest.Name}: open a scope, or dispose what was kept");
    }
}
